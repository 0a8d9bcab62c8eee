package fpgaassociate;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Associates FPGA images with ECS images of Huawei Cloud: libfpga_associate through JNA.
 *
 * <p>The environment variable FPGA_ASSOCIATE_LIBRARY names the library, such as
 * /usr/lib/libfpga_associate.so.0; without it the one in this jar is taken, or else the system's loader
 * looks for it. Java 17 or newer.
 *
 * <p>A call whose token is null is made with the credentials of the client's settings.
 *
 * <p>Any number of threads may use one client. It must be closed, and throws an IllegalStateException
 * after that.
 */
public final class Client implements AutoCloseable {
    private interface Call {
        void run(Pointer client, PointerByReference error);
    }

    private static final NativeLibrary C = NativeLibrary.C;

    /** Held for reading by each call, for writing to free the client. */
    private final ReentrantReadWriteLock inUse = new ReentrantReadWriteLock();

    /** C calls it, as long as this holds it. */
    private final NativeLibrary.CredentialsFunction credentialsFunction;

    private Pointer client;

    /** With the library's defaults, without credentials of its own. */
    public Client(String endpoint) throws FpgaAssociateException {
        this(endpoint, null);
    }

    /** The settings may be null. */
    public Client(String endpoint, Settings settings) throws FpgaAssociateException {
        text("endpoint", endpoint);
        credentialsFunction = settings == null ? null : settings.credentialsFunction();
        Pointer config = settings == null ? null : settings.config();
        PointerByReference opened = new PointerByReference();
        PointerByReference error = new PointerByReference();
        try {
            C.fpga_assoc_client_new(endpoint, config, opened, error);
            raise(error);
        } finally {
            C.fpga_assoc_config_free(config);
        }
        client = opened.getValue();
    }

    /** The version of the library that is loaded. */
    public static String version() {
        return C.fpga_assoc_version();
    }

    /** Associates the two images. The exception says whether that may have happened all the same. */
    public void associate(String token, String projectId, String fpgaId, String ecsId)
            throws FpgaAssociateException {
        check(token, projectId, fpgaId, ecsId);
        call((client, error) ->
                C.fpga_assoc_client_associate(client, token, projectId, fpgaId, ecsId, error));
    }

    /** Undoes that, in the same way. */
    public void disassociate(String token, String projectId, String fpgaId, String ecsId)
            throws FpgaAssociateException {
        check(token, projectId, fpgaId, ecsId);
        call((client, error) ->
                C.fpga_assoc_client_disassociate(client, token, projectId, fpgaId, ecsId, error));
    }

    /** Lists associations; one of the two images may be null. */
    public List<Association> associations(String token, String projectId, String fpgaId, String ecsId)
            throws FpgaAssociateException {
        check(token, projectId, fpgaId, ecsId);
        PointerByReference list = new PointerByReference();
        call((client, error) ->
                C.fpga_assoc_client_associations(client, token, projectId, fpgaId, ecsId, list, error));
        try {
            return copy(list.getValue());
        } finally {
            C.fpga_assoc_list_free(list.getValue());
        }
    }

    /** Closes the connections that no call uses now. */
    public void closeIdle() {
        inUse.readLock().lock();
        try {
            C.fpga_assoc_client_close_idle(open());
        } finally {
            inUse.readLock().unlock();
        }
    }

    /** Ends the calls of other threads as CANCELLED, waits for them, and frees the client. */
    @Override
    public void close() {
        inUse.readLock().lock();
        try {
            C.fpga_assoc_client_shutdown(client);
        } finally {
            inUse.readLock().unlock();
        }
        inUse.writeLock().lock();
        try {
            C.fpga_assoc_client_free(client);
            client = null;
        } finally {
            inUse.writeLock().unlock();
        }
    }

    private void call(Call call) throws FpgaAssociateException {
        PointerByReference error = new PointerByReference();
        inUse.readLock().lock();
        try {
            call.run(open(), error);
        } finally {
            inUse.readLock().unlock();
        }
        raise(error);
    }

    private Pointer open() {
        if (client == null) {
            throw new IllegalStateException("the client is closed");
        }
        return client;
    }

    private static List<Association> copy(Pointer list) {
        long length = C.fpga_assoc_list_len(list).longValue();
        List<Association> associations = new ArrayList<>();
        for (long index = 0; index < length; index++) {
            Pointer entry = C.fpga_assoc_list_get(list, new NativeLibrary.Size(index));
            associations.add(Association.copy(new NativeLibrary.Entry(entry)));
        }
        return associations;
    }

    /** Throws what an error pointer received, if anything. */
    private static void raise(PointerByReference error) throws FpgaAssociateException {
        Pointer pointer = error.getValue();
        if (pointer == null) {
            return;
        }
        try {
            throw new FpgaAssociateException(pointer);
        } finally {
            C.fpga_assoc_error_free(pointer);
        }
    }

    private static void check(String token, String projectId, String fpgaId, String ecsId)
            throws FpgaAssociateException {
        text("token", token);
        text("project_id", projectId);
        text("fpga_id", fpgaId);
        text("ecs_id", ecsId);
    }

    /**
     * null is NULL, for the library to judge. C would take a text with a zero byte for a shorter one,
     * and JNA makes '?' of half a surrogate pair.
     */
    static String text(String name, String value) throws FpgaAssociateException {
        if (value != null
                && (value.indexOf('\0') >= 0 || !StandardCharsets.UTF_8.newEncoder().canEncode(value))) {
            throw new FpgaAssociateException(
                    FpgaAssociateException.INVALID_ARGUMENT,
                    name + ": holds a zero byte or half a surrogate pair");
        }
        return value;
    }
}
