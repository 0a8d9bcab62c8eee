package fpgaassociate;

import com.sun.jna.Pointer;

/** Why a call failed. The message is one line for people. */
public final class FpgaAssociateException extends Exception {
    /** A status: an argument is missing or unusable, and nothing was sent. */
    public static final int INVALID_ARGUMENT = 1;

    /** A status: the client got no credentials from where they come from. */
    public static final int CREDENTIALS_FAILED = 10;

    /** Observed: it was not asked, or it could not tell. */
    public static final int OBSERVED_NOTHING = 0;

    /** Observed: the two are associated. */
    public static final int OBSERVED_ASSOCIATED = 1;

    /** Observed: they are not. */
    public static final int OBSERVED_APART = 2;

    private static final long serialVersionUID = 1;

    private final int status;
    private final int httpStatus;
    private final String code;
    private final String requestId;
    private final long retryAfterMs;
    private final int attempts;
    private final boolean outcomeUnknown;
    private final int observed;

    FpgaAssociateException(int status, String message) {
        super(message);
        this.status = status;
        httpStatus = 0;
        code = "";
        requestId = "";
        retryAfterMs = 0;
        attempts = 0;
        outcomeUnknown = false;
        observed = OBSERVED_NOTHING;
    }

    /** Copies an error, which its owner still frees. */
    FpgaAssociateException(Pointer error) {
        super(NativeLibrary.C.fpga_assoc_error_message(error));
        status = NativeLibrary.C.fpga_assoc_error_status(error);
        httpStatus = NativeLibrary.C.fpga_assoc_error_http_status(error);
        code = NativeLibrary.C.fpga_assoc_error_code(error);
        requestId = NativeLibrary.C.fpga_assoc_error_request_id(error);
        retryAfterMs = NativeLibrary.C.fpga_assoc_error_retry_after_ms(error);
        attempts = NativeLibrary.C.fpga_assoc_error_attempts(error);
        outcomeUnknown = NativeLibrary.C.fpga_assoc_error_outcome_unknown(error) != 0;
        observed = NativeLibrary.C.fpga_assoc_error_observed(error);
    }

    /** The fpga_assoc_status. */
    public int status() {
        return status;
    }

    /** Such as "FPGA_ASSOC_TIMEOUT". */
    public String statusName() {
        return NativeLibrary.C.fpga_assoc_status_name(status);
    }

    /** The likely cause and what to do about it. */
    public String help() {
        return NativeLibrary.C.fpga_assoc_status_help(status);
    }

    /** 0 where no answer came. */
    public int httpStatus() {
        return httpStatus;
    }

    /** The service's own code, such as "Ecs.0005", or "". */
    public String code() {
        return code;
    }

    /** The service's name for the request, or "". */
    public String requestId() {
        return requestId;
    }

    /** What the service asked to wait, or 0. */
    public long retryAfterMs() {
        return retryAfterMs;
    }

    /** How often the request was sent. */
    public int attempts() {
        return attempts;
    }

    /** Whether the service may have acted on the request. */
    public boolean outcomeUnknown() {
        return outcomeUnknown;
    }

    /** What the list showed last, such as OBSERVED_APART. */
    public int observed() {
        return observed;
    }
}
