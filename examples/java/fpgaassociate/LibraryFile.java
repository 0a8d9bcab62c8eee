package fpgaassociate;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Where the library is: what the environment names, else what this jar holds, else where the loader looks. */
final class LibraryFile {
    private static final String WINDOWS_NAME = "fpga_associate.dll";

    private LibraryFile() {}

    static NativeLibrary load() {
        String named = System.getenv("FPGA_ASSOCIATE_LIBRARY");
        if (named != null) {
            return load(named);
        }
        String resource = "/" + folder() + "/" + (Platform.isWindows() ? WINDOWS_NAME : "libfpga_associate.so");
        if (LibraryFile.class.getResource(resource) == null) {
            return load(Platform.isWindows() ? WINDOWS_NAME : "libfpga_associate.so.0");
        }
        try {
            return loadResource(resource);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static NativeLibrary loadResource(String resource) throws IOException {
        File file = Native.extractFromResourcePath(resource, LibraryFile.class.getClassLoader());
        try {
            return load(file.getPath());
        } finally {
            // JNA calls what it has unpacked so; other files are of an unpacked jar.
            if (file.getName().startsWith("jna") && !file.delete()) {
                // Windows deletes no library that is in use: JNA does so later where it finds this mark.
                Files.createFile(Path.of(file.getPath() + ".x"));
            }
        }
    }

    private static NativeLibrary load(String name) {
        return Native.load(name, NativeLibrary.class, Map.of(Library.OPTION_STRING_ENCODING, "UTF-8"));
    }

    /** As JNA calls the folder, which has one name for both C libraries of Linux. */
    private static String folder() {
        return isMusl() ? Platform.RESOURCE_PREFIX.replace("linux-", "linux-musl-") : Platform.RESOURCE_PREFIX;
    }

    /** Whether this process runs on musl: its C library is its loader, or libc.so, without a number. */
    private static boolean isMusl() {
        try {
            String maps = Files.readString(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1);
            return maps.contains("/ld-musl-") || maps.contains("/libc.so\n");
        } catch (IOException error) {
            return false;
        }
    }
}
