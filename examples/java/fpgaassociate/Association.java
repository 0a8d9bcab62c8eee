package fpgaassociate;

import com.sun.jna.Pointer;

/** An FPGA image that is associated with an ECS image; "" is what the service did not give. */
public record Association(
        String ecsId,
        String fpgaId,
        String name,
        String description,
        String status,
        String createdAt,
        String message,
        String metadata,
        String logDirectory,
        long sizeMb,
        boolean isProtected) {

    static Association copy(NativeLibrary.Entry entry) {
        return new Association(
                text(entry.ecs_id),
                text(entry.fpga_id),
                text(entry.name),
                text(entry.description),
                text(entry.status),
                text(entry.created_at),
                text(entry.message),
                text(entry.metadata),
                text(entry.log_directory),
                entry.size_mb,
                entry.is_protected != 0);
    }

    private static String text(Pointer text) {
        return text.getString(0, "UTF-8");
    }
}
