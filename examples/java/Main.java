import fpgaassociate.Association;
import fpgaassociate.Client;
import fpgaassociate.FpgaAssociateException;

/**
 * Associates an FPGA image with an ECS image and lists what the ECS image has.
 *
 * <pre>java -cp .:jna.jar Main ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID</pre>
 *
 * The token comes from the environment variable FPGA_TOKEN, the library's path from
 * FPGA_ASSOCIATE_LIBRARY. The exit status is the fpga_assoc_status.
 */
public final class Main {
    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    private static int run(String[] arguments) {
        if (arguments.length != 4) {
            System.err.println("usage: Main ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID");
            return FpgaAssociateException.INVALID_ARGUMENT;
        }
        String token = System.getenv("FPGA_TOKEN");
        if (token == null) {
            System.err.println("error: the environment variable FPGA_TOKEN is not set");
            return FpgaAssociateException.INVALID_ARGUMENT;
        }

        String projectId = arguments[1];
        String fpgaId = arguments[2];
        String ecsId = arguments[3];
        try (Client client = new Client(arguments[0])) {
            client.associate(token, projectId, fpgaId, ecsId);
            System.out.printf("FPGA image %s is associated with ECS image %s%n", fpgaId, ecsId);
            for (Association pair : client.associations(token, projectId, null, ecsId)) {
                System.out.printf(
                        "%s  %s  %s  %d MB  %s  %s%n",
                        pair.ecsId(),
                        pair.fpgaId(),
                        pair.status(),
                        pair.sizeMb(),
                        pair.isProtected() ? "protected" : "not protected",
                        pair.name());
            }
            return 0;
        } catch (FpgaAssociateException error) {
            report(error);
            return error.status();
        }
    }

    private static void report(FpgaAssociateException error) {
        System.err.println("error: " + error.getMessage());
        System.err.printf("  status:     %s (%d)%n", error.statusName(), error.status());
        if (!error.code().isEmpty()) {
            System.err.println("  code:       " + error.code());
        }
        if (!error.requestId().isEmpty()) {
            System.err.println("  request id: " + error.requestId());
        }
        if (error.outcomeUnknown()) {
            System.err.println("  outcome:    unknown, the service may have acted");
        }
        System.err.println("  help:       " + error.help());
    }
}
