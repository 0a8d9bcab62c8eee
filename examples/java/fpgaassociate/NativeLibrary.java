package fpgaassociate;

import com.sun.jna.Callback;
import com.sun.jna.IntegerType;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;
import com.sun.jna.ptr.PointerByReference;

/** The functions of fpga_associate.h, with their names. A C bool is a byte; JNA's boolean is an int. */
interface NativeLibrary extends Library {
    NativeLibrary C = LibraryFile.load();

    Pointer fpga_assoc_config_new();

    void fpga_assoc_config_free(Pointer config);

    int fpga_assoc_config_set_timeout_ms(Pointer config, int ms);

    int fpga_assoc_config_set_connect_timeout_ms(Pointer config, int ms);

    int fpga_assoc_config_set_max_attempts(Pointer config, int attempts);

    int fpga_assoc_config_set_ca_file(Pointer config, String path);

    int fpga_assoc_config_set_ca_pem(Pointer config, byte[] pem, Size length);

    int fpga_assoc_config_set_client_certificate(Pointer config, byte[] pem, Size length);

    int fpga_assoc_config_set_proxy(Pointer config, String url);

    int fpga_assoc_config_set_user_agent(Pointer config, String product);

    int fpga_assoc_config_set_allow_http(Pointer config, byte allow);

    int fpga_assoc_config_set_confirm(Pointer config, byte confirm);

    int fpga_assoc_config_set_idempotent(Pointer config, byte idempotent);

    int fpga_assoc_config_set_token(Pointer config, String token);

    int fpga_assoc_config_set_access_key(
            Pointer config, String accessKey, String secretKey, String securityToken);

    int fpga_assoc_config_set_environment_credentials(Pointer config);

    int fpga_assoc_config_set_ecs_agency(Pointer config);

    int fpga_assoc_config_set_credentials_callback(
            Pointer config, CredentialsFunction credentials, Pointer context);

    int fpga_assoc_grant_token(Pointer grant, String token, long expiresAt);

    int fpga_assoc_grant_access_key(
            Pointer grant, String accessKey, String secretKey, String securityToken, long expiresAt);

    int fpga_assoc_grant_refuse(Pointer grant, String message);

    int fpga_assoc_client_new(
            String endpoint, Pointer config, PointerByReference client, PointerByReference error);

    int fpga_assoc_client_associate(
            Pointer client, String token, String projectId, String fpgaId, String ecsId, PointerByReference error);

    int fpga_assoc_client_disassociate(
            Pointer client, String token, String projectId, String fpgaId, String ecsId, PointerByReference error);

    int fpga_assoc_client_associations(
            Pointer client, String token, String projectId, String fpgaId, String ecsId,
            PointerByReference list, PointerByReference error);

    void fpga_assoc_client_shutdown(Pointer client);

    void fpga_assoc_client_close_idle(Pointer client);

    void fpga_assoc_client_free(Pointer client);

    Size fpga_assoc_list_len(Pointer list);

    Pointer fpga_assoc_list_get(Pointer list, Size index);

    void fpga_assoc_list_free(Pointer list);

    int fpga_assoc_error_status(Pointer error);

    int fpga_assoc_error_http_status(Pointer error);

    String fpga_assoc_error_message(Pointer error);

    String fpga_assoc_error_code(Pointer error);

    String fpga_assoc_error_request_id(Pointer error);

    long fpga_assoc_error_retry_after_ms(Pointer error);

    int fpga_assoc_error_attempts(Pointer error);

    byte fpga_assoc_error_outcome_unknown(Pointer error);

    int fpga_assoc_error_observed(Pointer error);

    void fpga_assoc_error_free(Pointer error);

    String fpga_assoc_last_error();

    String fpga_assoc_status_name(int status);

    String fpga_assoc_status_help(int status);

    String fpga_assoc_version();

    /** An fpga_assoc_credentials_fn; C can call it as long as Java holds it. */
    interface CredentialsFunction extends Callback {
        void call(Pointer context, int reason, Pointer grant);
    }

    /** A size_t. JNA makes one for each result, so it must be public. */
    class Size extends IntegerType {
        private static final long serialVersionUID = 1;

        public Size() {
            this(0);
        }

        Size(long value) {
            super(Native.SIZE_T_SIZE, value, true);
        }
    }

    /** An fpga_assoc_entry, to be read while its list lives. */
    @FieldOrder({
        "ecs_id", "fpga_id", "name", "description", "status", "created_at", "message", "metadata",
        "log_directory", "size_mb", "is_protected"
    })
    class Entry extends Structure {
        public Pointer ecs_id;
        public Pointer fpga_id;
        public Pointer name;
        public Pointer description;
        public Pointer status;
        public Pointer created_at;
        public Pointer message;
        public Pointer metadata;
        public Pointer log_directory;
        public long size_mb;
        public byte is_protected;

        Entry(Pointer entry) {
            super(entry);
            read();
        }
    }
}
