import fpgaassociate.Association;
import fpgaassociate.Client;
import fpgaassociate.FpgaAssociateException;
import fpgaassociate.Settings;

/**
 * Associates an FPGA image with an ECS image and lists what the ECS image has.
 *
 * <pre>java -cp .:jna.jar Main [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID</pre>
 *
 * The environment variable FPGA_TOKEN holds a token. Without it --agency takes the keys of the agency of
 * the ECS server that this runs on, and otherwise there is an access key where the vendor's tools look
 * for one: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK. FPGA_ASSOCIATE_LIBRARY is the library's path. The
 * exit status is the fpga_assoc_status.
 */
public final class Main {
    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    private static int run(String[] arguments) {
        boolean agency = arguments.length > 0 && arguments[0].equals("--agency");
        int first = agency ? 1 : 0;
        if (arguments.length != first + 4) {
            System.err.println("usage: Main [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID");
            return FpgaAssociateException.INVALID_ARGUMENT;
        }

        String projectId = arguments[first + 1];
        String fpgaId = arguments[first + 2];
        String ecsId = arguments[first + 3];
        try (Client client = new Client(arguments[first], credentials(agency))) {
            client.associate(null, projectId, fpgaId, ecsId);
            System.out.printf("FPGA image %s is associated with ECS image %s%n", fpgaId, ecsId);
            for (Association pair : client.associations(null, projectId, null, ecsId)) {
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

    private static Settings credentials(boolean agency) throws FpgaAssociateException {
        String token = System.getenv("FPGA_TOKEN");
        if (token != null) {
            return new Settings().token(token);
        }
        return agency ? new Settings().ecsAgency() : new Settings().environmentCredentials();
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
        if (error.status() == FpgaAssociateException.CREDENTIALS_FAILED) {
            System.err.println("  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, "
                    + "or, on an ECS server with an agency, --agency");
        }
        System.err.println("  help:       " + error.help());
    }
}
