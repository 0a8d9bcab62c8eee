package fpgaassociate;

import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.ToIntFunction;

/**
 * Settings for a client; what is not set keeps the library's default, and null is refused.
 *
 * <p>Calls that bring no token are made with the credentials of the settings. These are of one kind: a
 * token, an access key, the environment's, the ECS agency's, or a callback's; a second one is an
 * IllegalStateException.
 */
public final class Settings {
    private static final NativeLibrary C = NativeLibrary.C;
    private static final Duration MAX = Duration.ofMillis(Integer.MAX_VALUE);

    private final List<ToIntFunction<Pointer>> setters = new ArrayList<>();
    private boolean hasCredentials;
    private NativeLibrary.CredentialsFunction credentialsFunction;

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

    /** How often a request is sent at most. */
    public Settings maxAttempts(int attempts) {
        return with(config -> C.fpga_assoc_config_set_max_attempts(config, attempts));
    }

    /** Trusts the certificates of a PEM file alone. */
    public Settings caFile(Path pem) throws FpgaAssociateException {
        String path = Client.text("ca_file", pem.toString());
        return with(config -> C.fpga_assoc_config_set_ca_file(config, path));
    }

    /** The same from memory. */
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

    /** The program's name for the service. */
    public Settings userAgent(String product) throws FpgaAssociateException {
        Client.text("user_agent", Objects.requireNonNull(product));
        return with(config -> C.fpga_assoc_config_set_user_agent(config, product));
    }

    /** Allows http:// to other machines. */
    public Settings allowHttp(boolean allow) {
        return with(config -> C.fpga_assoc_config_set_allow_http(config, (byte) (allow ? 1 : 0)));
    }

    /** Whether the list is asked about a change that is in doubt. */
    public Settings confirm(boolean confirm) {
        return with(config -> C.fpga_assoc_config_set_confirm(config, (byte) (confirm ? 1 : 0)));
    }

    /** Makes a success of what is already as wanted. */
    public Settings idempotent(boolean idempotent) {
        return with(config -> C.fpga_assoc_config_set_idempotent(config, (byte) (idempotent ? 1 : 0)));
    }

    /** An IAM token of project scope. */
    public Settings token(String token) throws FpgaAssociateException {
        Client.text("token", Objects.requireNonNull(token));
        return withCredentials(config -> C.fpga_assoc_config_set_token(config, token));
    }

    /** A permanent access key. */
    public Settings accessKey(String accessKey, String secretKey) throws FpgaAssociateException {
        Client.text("access_key", Objects.requireNonNull(accessKey));
        Client.text("secret_key", Objects.requireNonNull(secretKey));
        return withCredentials(config ->
                C.fpga_assoc_config_set_access_key(config, accessKey, secretKey, null));
    }

    /** A temporary access key. */
    public Settings accessKey(String accessKey, String secretKey, String securityToken)
            throws FpgaAssociateException {
        Client.text("access_key", Objects.requireNonNull(accessKey));
        Client.text("secret_key", Objects.requireNonNull(secretKey));
        Client.text("security_token", Objects.requireNonNull(securityToken));
        return withCredentials(config ->
                C.fpga_assoc_config_set_access_key(config, accessKey, secretKey, securityToken));
    }

    /** An access key from where the vendor's tools look, when a client is made. */
    public Settings environmentCredentials() {
        return withCredentials(C::fpga_assoc_config_set_environment_credentials);
    }

    /** The keys of the agency of the ECS server that this runs on. */
    public Settings ecsAgency() {
        return withCredentials(C::fpga_assoc_config_set_ecs_agency);
    }

    /** Whatever the host has. */
    public Settings credentialsCallback(CredentialsCallback callback) {
        Objects.requireNonNull(callback);
        NativeLibrary.CredentialsFunction function =
                (context, reason, grant) -> answer(callback, reason, grant);
        withCredentials(config ->
                C.fpga_assoc_config_set_credentials_callback(config, function, Pointer.NULL));
        credentialsFunction = function;
        return this;
    }

    /** To be held as long as a client of these settings; null for none. */
    NativeLibrary.CredentialsFunction credentialsFunction() {
        return credentialsFunction;
    }

    /** Nothing may be thrown through C. */
    private static void answer(CredentialsCallback callback, int reason, Pointer grant) {
        try {
            Credentials credentials = callback.credentials(reason);
            Objects.requireNonNull(credentials, "it returned null").grant(grant);
        } catch (Throwable error) {
            C.fpga_assoc_grant_refuse(
                    grant, Objects.requireNonNullElse(error.getMessage(), error.getClass().getName()));
        }
    }

    private Settings withCredentials(ToIntFunction<Pointer> setter) {
        if (hasCredentials) {
            throw new IllegalStateException("the settings have credentials already");
        }
        hasCredentials = true;
        return with(setter);
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
