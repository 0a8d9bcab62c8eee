package fpgaassociate;

/**
 * Gives credentials to calls that bring no token.
 *
 * <p>It is asked on the thread of a call, by one at a time: at the client's first call, before
 * credentials expire, and when the service refuses them. No time limit of a call ends it. What it throws
 * ends the call as CREDENTIALS_FAILED, with the message. It must neither call nor close the same client.
 */
@FunctionalInterface
public interface CredentialsCallback {
    /** The client has none yet. */
    int REASON_FIRST = 1;

    /** Those that it has expire soon, or have expired. */
    int REASON_EXPIRING = 2;

    /** The service refused those that it has. */
    int REASON_REFUSED = 3;

    /** The reason is such as REASON_FIRST. */
    Credentials credentials(int reason) throws Exception;
}
