import fpgaassociate.Association;
import fpgaassociate.Client;
import fpgaassociate.Credentials;
import fpgaassociate.CredentialsCallback;
import fpgaassociate.FpgaAssociateException;
import fpgaassociate.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * Takes the wrapper to its edges and prints what it meets; the test compares.
 *
 * <pre>Checks ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
 *     HOST_THAT_THROTTLES</pre>
 */
public final class Checks {
    private interface Call {
        void run() throws FpgaAssociateException;
    }

    private final String token = System.getenv("FPGA_TOKEN");
    private final String endpoint;
    private final String projectId;
    private final String fpgaId;
    private final String ecsId;

    private Checks(String[] arguments) {
        endpoint = arguments[0];
        projectId = arguments[1];
        fpgaId = arguments[2];
        ecsId = arguments[3];
    }

    public static void main(String[] arguments) throws Exception {
        new Checks(arguments).run(Path.of(arguments[4]), arguments[5], arguments[6]);
    }

    private void run(Path caFile, String broken, String busy) throws Exception {
        try (Client plain = new Client(endpoint)) {
            System.out.println("no settings, ECS image alone: " + list(plain, null, ecsId));
        }
        Client client = new Client(
                endpoint,
                new Settings().caFile(caFile).timeout(Duration.ofSeconds(20)).userAgent("checks/1"));
        List<Association> kept = client.associations(token, projectId, fpgaId, null);
        System.out.println("FPGA image alone: " + kept.size());
        client.closeIdle();
        byte[] pem = Files.readAllBytes(caFile);
        try (Client ofPem = new Client(endpoint, new Settings().caPem(pem))) {
            System.out.println("authority from memory: " + list(ofPem, null, ecsId));
        }

        refused("no endpoint", () -> new Client(null));
        refused("no token", () -> client.associate(null, projectId, fpgaId, ecsId));
        refused("no ECS image", () -> client.associate(token, projectId, fpgaId, null));
        refused("no image at all", () -> client.associations(token, projectId, null, null));
        refused("zero byte", () -> client.associate(token, projectId, fpgaId + "\0", ecsId));
        refused("no such CA file", () -> new Client(
                endpoint, new Settings().caFile(Path.of("/nonexistent/ca.pem"))));
        refused("no client certificate", () -> new Client(
                endpoint, new Settings().clientCertificate("none".getBytes())));

        allRefused("wrong settings", wrongSettings());
        allRefused("wrong texts", Stream.of("zero\0byte", "surrogate\ud800")
                .flatMap(text -> Stream.<Call>of(
                        () -> new Client(text),
                        () -> client.associate(text, projectId, fpgaId, ecsId),
                        () -> client.associations(token, projectId, null, text)))
                .toList());

        FpgaAssociateException error =
                failure(() -> client.associate(token, projectId, "0".repeat(32), ecsId));
        boolean withId = !error.requestId().isEmpty() && error.getMessage().contains(error.requestId());
        System.out.printf(
                "unknown image: %s %d %s %s request id, outcome %s%n",
                error.statusName(), error.httpStatus(), error.code(), withId ? "with" : "without",
                outcome(error));

        try (Client other = new Client(broken, new Settings().confirm(false))) {
            FpgaAssociateException lost =
                    failure(() -> other.associate(token, projectId, fpgaId, ecsId));
            System.out.printf(
                    "lost connection: %s %d, outcome %s, observed %s%n",
                    lost.statusName(), lost.httpStatus(), outcome(lost), observed(lost));
        }

        try (Client throttled = new Client(busy)) {
            FpgaAssociateException wait =
                    failure(() -> throttled.associate(token, projectId, fpgaId, ecsId));
            System.out.printf(
                    "throttled: %s %d, to wait %d ms, attempts %d%n",
                    wait.statusName(), wait.httpStatus(), wait.retryAfterMs(), wait.attempts());
        }

        int right = callsAtOnce(client);

        try (Client idempotent = new Client(endpoint, new Settings().idempotent(true))) {
            needless("associated already", () -> client.associate(token, projectId, fpgaId, ecsId));
            idempotent.associate(token, projectId, fpgaId, ecsId);
            System.out.println("associated already, idempotent: allowed");
            client.disassociate(token, projectId, fpgaId, ecsId);
            System.out.println("taken away, left: " + list(client, null, ecsId));
            needless("taken away already", () -> client.disassociate(token, projectId, fpgaId, ecsId));
            idempotent.disassociate(token, projectId, fpgaId, ecsId);
            System.out.println("taken away already, idempotent: allowed");
        }
        client.close();
        client.close();
        allRefused("closed", List.of(
                () -> client.associate(token, projectId, fpgaId, ecsId),
                () -> client.associations(token, projectId, fpgaId, ecsId),
                client::closeIdle));
        System.out.println("kept after closing: " + kept.get(0).status());
        checkCredentials();
        System.out.println("calls at once: " + right);
    }

    /** The compiler refuses those of another type. */
    private List<Call> wrongSettings() {
        return List.of(
                () -> new Client(endpoint, new Settings().timeout(Duration.ofMillis(-1))),
                () -> new Client(endpoint, new Settings().timeout(Duration.ZERO)),
                () -> new Client(endpoint, new Settings().timeout(Duration.ofMillis(1L << 31))),
                () -> new Client(endpoint, new Settings().timeout(Duration.ofMillis((1L << 32) + 5))),
                () -> new Client(endpoint, new Settings().timeout(Duration.ofSeconds(Long.MAX_VALUE))),
                () -> new Client(endpoint, new Settings().timeout(null)),
                () -> new Client(endpoint, new Settings().maxAttempts(-1)),
                () -> new Client(endpoint, new Settings().maxAttempts(0)),
                () -> new Client(endpoint, new Settings().caFile(null)),
                () -> new Client(endpoint, new Settings().caPem(null)),
                () -> new Client(endpoint, new Settings().caPem(new byte[0])),
                () -> new Client(endpoint, new Settings().proxy(null)),
                () -> new Client(endpoint, new Settings().userAgent("checks/\ud800")),
                () -> new Client(endpoint, new Settings().token("zero\0byte")),
                () -> new Client(endpoint, new Settings().accessKey("key", "")),
                () -> new Client(endpoint, new Settings().accessKey("key", null)),
                () -> new Client(endpoint, new Settings().credentialsCallback(null)),
                () -> new Client(endpoint, new Settings().token(token).environmentCredentials()));
    }

    /** Calls with what the settings of clients have in place of a token. */
    private void checkCredentials() throws FpgaAssociateException {
        String accessKey = System.getenv("FPGA_ACCESS_KEY");
        String secretKey = System.getenv("FPGA_SECRET_KEY");
        ownCalls(1, new Settings().accessKey(accessKey, secretKey));
        System.out.println("access key: ok");

        String wrong = secretKey.substring(1);
        Settings wrongKey = new Settings().accessKey(accessKey, wrong);
        FpgaAssociateException error = failure(() -> ownCalls(1, wrongKey));
        String told = error + " " + wrongKey + " " + Credentials.accessKey(accessKey, wrong);
        System.out.println("wrong secret key: " + error.statusName()
                + (told.contains(wrong) ? ", which tells it" : ""));

        List<Integer> reasons = new ArrayList<>();
        ownCalls(3, new Settings().credentialsCallback(reason -> {
            reasons.add(reason);
            return Credentials.token(token).expiresAt(Instant.now().plusSeconds(3600));
        }));
        if (!reasons.equals(List.of(CredentialsCallback.REASON_FIRST))) {
            System.out.println("reasons: " + reasons);
        }
        System.out.println("credentials callback: asked " + reasons.size() + " time");

        for (CredentialsCallback callback : List.<CredentialsCallback>of(
                reason -> null,
                reason -> Credentials.token(null),
                reason -> {
                    throw new StackOverflowError();
                })) {
            FpgaAssociateException refusal =
                    failure(() -> ownCalls(1, new Settings().credentialsCallback(callback)));
            if (refusal.status() != FpgaAssociateException.CREDENTIALS_FAILED) {
                System.out.println("not refused: " + refusal);
            }
        }
        FpgaAssociateException refusal = failure(() -> ownCalls(1, new Settings().credentialsCallback(
                reason -> {
                    throw new IllegalStateException("the vault is shut");
                })));
        if (!refusal.getMessage().contains("the vault is shut")) {
            System.out.println("another message: " + refusal);
        }
        System.out.println("refused callback: " + refusal.statusName());
        refused("no credentials", () -> ownCalls(1, null));
    }

    /** Without a token. */
    private void ownCalls(int count, Settings settings) throws FpgaAssociateException {
        try (Client client = new Client(endpoint, settings)) {
            for (int number = 0; number < count; number++) {
                client.associations(null, projectId, null, ecsId);
                // The function that C calls must outlive this.
                System.gc();
            }
        }
    }

    private int callsAtOnce(Client client) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        List<Future<Boolean>> calls = new ArrayList<>();
        for (int number = 0; number < 200; number++) {
            int nth = number;
            calls.add(threads.submit(() -> oneCall(client, nth)));
        }
        int right = 0;
        for (Future<Boolean> call : calls) {
            right += call.get() ? 1 : 0;
        }
        threads.shutdown();
        return right;
    }

    /** Whether the call met what belongs to it, and not to another thread's call. */
    private boolean oneCall(Client client, int number) throws FpgaAssociateException {
        if (number % 2 == 0) {
            return list(client, null, ecsId) == 1;
        }
        String unknown = String.format("%032x", number);
        FpgaAssociateException error =
                failure(() -> client.associate(token, projectId, unknown, ecsId));
        return error.code().equals("Ecs.0031") && error.getMessage().contains(unknown);
    }

    private int list(Client client, String fpgaId, String ecsId) throws FpgaAssociateException {
        return client.associations(token, projectId, fpgaId, ecsId).size();
    }

    private static void refused(String what, Call call) {
        System.out.println(what + ": " + failure(call).statusName());
    }

    private static void allRefused(String what, List<Call> calls) {
        StringBuilder accepted = new StringBuilder();
        for (int number = 0; number < calls.size(); number++) {
            try {
                calls.get(number).run();
                accepted.append(" number ").append(number).append(" is accepted");
            } catch (FpgaAssociateException | NullPointerException | IllegalStateException error) {
                // As it must be.
            }
        }
        System.out.println(what + ":" + (accepted.isEmpty() ? " refused" : accepted));
    }

    private static void needless(String what, Call call) {
        FpgaAssociateException error = failure(call);
        System.out.printf("%s: %s, observed %s%n", what, error.statusName(), observed(error));
    }

    private static FpgaAssociateException failure(Call call) {
        try {
            call.run();
        } catch (FpgaAssociateException error) {
            return error;
        }
        throw new AssertionError("no error");
    }

    private static String outcome(FpgaAssociateException error) {
        return error.outcomeUnknown() ? "unknown" : "known";
    }

    private static String observed(FpgaAssociateException error) {
        return switch (error.observed()) {
            case FpgaAssociateException.OBSERVED_NOTHING -> "nothing";
            case FpgaAssociateException.OBSERVED_ASSOCIATED -> "associated";
            case FpgaAssociateException.OBSERVED_APART -> "apart";
            default -> "something else";
        };
    }
}
