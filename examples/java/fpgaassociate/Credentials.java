package fpgaassociate;

import com.sun.jna.Pointer;
import java.time.Instant;

/** A token or an access key, which a callback gives. As text it is its class's name alone. */
public final class Credentials {
    private interface Grant {
        void run(Pointer grant, long expiresAt);
    }

    private static final NativeLibrary C = NativeLibrary.C;

    private final Grant grant;
    private final long expiresAt;

    private Credentials(Grant grant, long expiresAt) {
        this.grant = grant;
        this.expiresAt = expiresAt;
    }

    /** An IAM token of project scope. */
    public static Credentials token(String token) throws FpgaAssociateException {
        Client.text("token", token);
        return new Credentials(
                (grant, expiresAt) -> C.fpga_assoc_grant_token(grant, token, expiresAt), 0);
    }

    /** A permanent access key. */
    public static Credentials accessKey(String accessKey, String secretKey)
            throws FpgaAssociateException {
        return accessKey(accessKey, secretKey, null);
    }

    /** With the security token of a temporary key; null for a permanent one. */
    public static Credentials accessKey(String accessKey, String secretKey, String securityToken)
            throws FpgaAssociateException {
        Client.text("access_key", accessKey);
        Client.text("secret_key", secretKey);
        Client.text("security_token", securityToken);
        return new Credentials(
                (grant, expiresAt) -> C.fpga_assoc_grant_access_key(
                        grant, accessKey, secretKey, securityToken, expiresAt),
                0);
    }

    /** The same with the time when they expire; without it they are used until the service refuses them. */
    public Credentials expiresAt(Instant time) {
        return new Credentials(grant, time.getEpochSecond());
    }

    /** What the library refuses, it says itself. */
    void grant(Pointer grant) {
        this.grant.run(grant, expiresAt);
    }
}
