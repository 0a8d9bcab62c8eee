package fpgaassociate;

import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.ToIntFunction;

/** Settings for a client; what is not set keeps the library's default, and null is refused. */
public final class Settings {
    private static final NativeLibrary C = NativeLibrary.C;
    private static final Duration MAX = Duration.ofMillis(Integer.MAX_VALUE);

    private final List<ToIntFunction<Pointer>> setters = new ArrayList<>();

    /** For the whole call. */
    public Settings timeout(Duration time) {
        int ms = milliseconds(time);
        return with(config -> C.fpga_assoc_config_set_timeout_ms(config, ms));
    }

    /** For the connection of one attempt. */
    public Settings connectTimeout(Duration time) {
        int ms = milliseconds(time);
        return with(config -> C.fpga_assoc_config_set_connect_timeout_ms(config, ms));
    }

    public Settings maxAttempts(int attempts) {
        return with(config -> C.fpga_assoc_config_set_max_attempts(config, attempts));
    }

    public Settings caFile(Path pem) throws FpgaAssociateException {
        String path = Client.text("ca_file", pem.toString());
        return with(config -> C.fpga_assoc_config_set_ca_file(config, path));
    }

    public Settings caPem(byte[] pem) {
        NativeLibrary.Size length = new NativeLibrary.Size(pem.length);
        return with(config -> C.fpga_assoc_config_set_ca_pem(config, pem, length));
    }

    /** The certificate that the endpoint sees where it asks for one, and its key. */
    public Settings clientCertificate(byte[] pem) {
        NativeLibrary.Size length = new NativeLibrary.Size(pem.length);
        return with(config -> C.fpga_assoc_config_set_client_certificate(config, pem, length));
    }

    /** "" is none; unset is the environment's. */
    public Settings proxy(String url) throws FpgaAssociateException {
        Client.text("proxy", Objects.requireNonNull(url));
        return with(config -> C.fpga_assoc_config_set_proxy(config, url));
    }

    public Settings userAgent(String product) throws FpgaAssociateException {
        Client.text("user_agent", Objects.requireNonNull(product));
        return with(config -> C.fpga_assoc_config_set_user_agent(config, product));
    }

    public Settings allowHttp(boolean allow) {
        return with(config -> C.fpga_assoc_config_set_allow_http(config, (byte) (allow ? 1 : 0)));
    }

    public Settings confirm(boolean confirm) {
        return with(config -> C.fpga_assoc_config_set_confirm(config, (byte) (confirm ? 1 : 0)));
    }

    public Settings idempotent(boolean idempotent) {
        return with(config -> C.fpga_assoc_config_set_idempotent(config, (byte) (idempotent ? 1 : 0)));
    }

    private Settings with(ToIntFunction<Pointer> setter) {
        setters.add(setter);
        return this;
    }

    /** To be freed. */
    Pointer config() throws FpgaAssociateException {
        Pointer config = C.fpga_assoc_config_new();
        for (ToIntFunction<Pointer> setter : setters) {
            int status = setter.applyAsInt(config);
            if (status != 0) {
                // Setters have no error pointer; nothing else runs on this thread in between.
                String message = C.fpga_assoc_last_error();
                C.fpga_assoc_config_free(config);
                throw new FpgaAssociateException(status, message);
            }
        }
        return config;
    }

    /** Rounded up; 0, which the setters refuse, for what is negative or too long. */
    private static int milliseconds(Duration time) {
        if (time.isNegative() || time.compareTo(MAX) > 0) {
            return 0;
        }
        return (int) time.plusNanos(999_999).toMillis();
    }
}
