// Takes the wrapper to its edges and prints what it meets; the test compares.
//
//     mono checks.exe ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
//         HOST_THAT_THROTTLES

using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using FpgaAssociate;

internal static class Checks
{
    private static readonly string token = Environment.GetEnvironmentVariable("FPGA_TOKEN");
    private static string endpoint, projectId, fpgaId, ecsId;

    private static void Main(string[] arguments)
    {
        endpoint = arguments[0];
        projectId = arguments[1];
        fpgaId = arguments[2];
        ecsId = arguments[3];
        var caFile = arguments[4];
        var broken = arguments[5];
        var busy = arguments[6];

        using (var plain = new Client(endpoint))
            Console.WriteLine("no settings, ECS image alone: " + List(plain, null, ecsId));
        var settings = new Settings { CaFile = caFile, TimeoutMs = 20000, UserAgent = "checks/1" };
        var client = new Client(endpoint, settings);
        var kept = client.Associations(token, projectId, fpgaId, null);
        Console.WriteLine("FPGA image alone: " + kept.Count);
        client.CloseIdle();
        using (var ofPem = new Client(endpoint, new Settings { CaPem = File.ReadAllBytes(caFile) }))
            Console.WriteLine("authority from memory: " + List(ofPem, null, ecsId));

        Refused("no endpoint", () => new Client(null));
        Refused("no token", () => client.Associate(null, projectId, fpgaId, ecsId));
        Refused("no ECS image", () => client.Associate(token, projectId, fpgaId, null));
        Refused("no image at all", () => client.Associations(token, projectId, null, null));
        Refused("zero byte", () => client.Associate(token, projectId, fpgaId + '\0', ecsId));
        Refused("no such CA file",
            () => new Client(endpoint, new Settings { CaFile = "/nonexistent/ca.pem" }));
        Refused("no client certificate",
            () => new Client(endpoint, new Settings { ClientCertificate = new byte[] { 0 } }));

        // The compiler refuses values of another type; null is the library's default.
        AllRefused("wrong settings",
            () => new Client(endpoint, new Settings { TimeoutMs = unchecked((uint)-1) }),
            () => new Client(endpoint, new Settings { TimeoutMs = 0 }),
            () => new Client(endpoint, new Settings { ConnectTimeoutMs = 1u << 31 }),
            () => new Client(endpoint, new Settings { MaxAttempts = 0 }),
            () => new Client(endpoint, new Settings { CaFile = caFile + '\0' }),
            () => new Client(endpoint, new Settings { CaPem = new byte[0] }),
            () => new Client(endpoint, new Settings { UserAgent = "checks/\ud800" }),
            () => new Client(endpoint, new Settings { Token = "" }),
            () => new Client(endpoint, new Settings { AccessKey = new AccessKey("key", null) }),
            () => new Client(endpoint, new Settings { Token = token, EnvironmentCredentials = true }));
        AllRefused("wrong texts",
            () => new Client(endpoint + '\0'),
            () => client.Associate(token + '\0', projectId, fpgaId, ecsId),
            () => client.Associate(token, projectId, fpgaId, ecsId + '\ud800'),
            () => client.Associations(token, projectId, null, ecsId + '\0'));

        var error = Failure(() => client.Associate(token, projectId, new string('0', 32), ecsId));
        var withId = error.RequestId != "" && error.Message.Contains(error.RequestId);
        Console.WriteLine(
            $"unknown image: {error.StatusName} {error.HttpStatus} {error.Code} "
            + $"{(withId ? "with" : "without")} request id, outcome {Outcome(error)}");

        using (var other = new Client(broken, new Settings { Confirm = false }))
        {
            var lost = Failure(() => other.Associate(token, projectId, fpgaId, ecsId));
            Console.WriteLine(
                $"lost connection: {lost.StatusName} {lost.HttpStatus}, "
                + $"outcome {Outcome(lost)}, observed {Observed(lost)}");
        }

        using (var throttled = new Client(busy))
        {
            var wait = Failure(() => throttled.Associate(token, projectId, fpgaId, ecsId));
            Console.WriteLine(
                $"throttled: {wait.StatusName} {wait.HttpStatus}, "
                + $"to wait {wait.RetryAfter.TotalMilliseconds} ms, attempts {wait.Attempts}");
        }

        var right = CallsAtOnce(client);

        using (var idempotent = new Client(endpoint, new Settings { Idempotent = true }))
        {
            Needless("associated already", () => client.Associate(token, projectId, fpgaId, ecsId));
            idempotent.Associate(token, projectId, fpgaId, ecsId);
            Console.WriteLine("associated already, idempotent: allowed");
            client.Disassociate(token, projectId, fpgaId, ecsId);
            Console.WriteLine("taken away, left: " + List(client, null, ecsId));
            Needless("taken away already", () => client.Disassociate(token, projectId, fpgaId, ecsId));
            idempotent.Disassociate(token, projectId, fpgaId, ecsId);
            Console.WriteLine("taken away already, idempotent: allowed");
        }
        client.Dispose();
        client.Dispose();
        AllRefused("closed",
            () => client.Associate(token, projectId, fpgaId, ecsId),
            () => client.Associations(token, projectId, fpgaId, ecsId),
            () => client.CloseIdle());
        Console.WriteLine("kept after closing: " + kept[0].Status);
        CheckCredentials();
        Console.WriteLine("calls at once: " + right);
    }

    /// <summary>Calls with what the settings of clients have in place of a token.</summary>
    private static void CheckCredentials()
    {
        var accessKey = Environment.GetEnvironmentVariable("FPGA_ACCESS_KEY");
        var secretKey = Environment.GetEnvironmentVariable("FPGA_SECRET_KEY");
        OwnCalls(1, new Settings { AccessKey = new AccessKey(accessKey, secretKey) });
        Console.WriteLine("access key: ok");

        var wrong = new AccessKey(accessKey, secretKey.Substring(1));
        var refusal = Failure(() => OwnCalls(1, new Settings { AccessKey = wrong }));
        var told = $"{refusal} {wrong} {new Credentials(wrong)}".Contains(secretKey.Substring(1));
        Console.WriteLine($"wrong secret key: {refusal.StatusName}{(told ? ", which tells it" : "")}");

        var reasons = new List<Reason>();
        OwnCalls(3, new Settings
        {
            CredentialsCallback = reason =>
            {
                reasons.Add(reason);
                return new Credentials(token, DateTimeOffset.UtcNow.AddHours(1));
            },
        });
        if (reasons[0] != Reason.First)
            Console.WriteLine("reason: " + reasons[0]);
        Console.WriteLine($"credentials callback: asked {reasons.Count} time");

        CredentialsCallback[] useless =
        {
            reason => null, reason => new Credentials((string)null), reason => new Credentials("\ud800"),
        };
        foreach (var callback in useless)
        {
            refusal = Failure(() => OwnCalls(1, new Settings { CredentialsCallback = callback }));
            if (refusal.Status != FpgaAssociateException.CredentialsFailed)
                Console.WriteLine("not refused: " + refusal);
        }
        CredentialsCallback shut = reason => throw new TimeoutException("the vault\0\ud800 is shut");
        refusal = Failure(() => OwnCalls(1, new Settings { CredentialsCallback = shut }));
        if (!refusal.Message.Contains("the vault \ufffd is shut"))
            Console.WriteLine("another message: " + refusal);
        Console.WriteLine("refused callback: " + refusal.StatusName);
        Refused("no credentials", () => OwnCalls(1, null));
    }

    /// <summary>Without a token.</summary>
    private static void OwnCalls(int count, Settings settings)
    {
        using (var client = new Client(endpoint, settings))
        {
            for (var number = 0; number < count; number++)
            {
                client.Associations(null, projectId, null, ecsId);
                // The function that C calls must outlive this.
                GC.Collect();
            }
        }
    }

    private static int CallsAtOnce(Client client)
    {
        var right = 0;
        var threads = new Thread[8];
        for (var thread = 0; thread < threads.Length; thread++)
        {
            var first = thread * 25;
            threads[thread] = new Thread(() =>
            {
                for (var number = first; number < first + 25; number++)
                    if (OneCall(client, number))
                        Interlocked.Increment(ref right);
            });
            threads[thread].Start();
        }
        foreach (var thread in threads)
            thread.Join();
        return right;
    }

    /// <summary>Whether the call met what belongs to it, and not to another thread's call.</summary>
    private static bool OneCall(Client client, int number)
    {
        if (number % 2 == 0)
            return List(client, null, ecsId) == 1;
        var unknown = number.ToString("x32");
        var error = Failure(() => client.Associate(token, projectId, unknown, ecsId));
        return error.Code == "Ecs.0031" && error.Message.Contains(unknown);
    }

    private static int List(Client client, string fpgaId, string ecsId)
    {
        return client.Associations(token, projectId, fpgaId, ecsId).Count;
    }

    private static void Refused(string what, Action call)
    {
        Console.WriteLine($"{what}: {Failure(call).StatusName}");
    }

    private static void AllRefused(string what, params Action[] calls)
    {
        var accepted = new StringBuilder();
        for (var number = 0; number < calls.Length; number++)
        {
            try
            {
                calls[number]();
                accepted.Append($" number {number} is accepted");
            }
            catch (Exception error) when (
                error is FpgaAssociateException || error is ArgumentException
                || error is ObjectDisposedException)
            {
                // As it must be.
            }
        }
        Console.WriteLine(what + ":" + (accepted.Length == 0 ? " refused" : accepted.ToString()));
    }

    private static void Needless(string what, Action call)
    {
        var error = Failure(call);
        Console.WriteLine($"{what}: {error.StatusName}, observed {Observed(error)}");
    }

    private static FpgaAssociateException Failure(Action call)
    {
        try
        {
            call();
        }
        catch (FpgaAssociateException error)
        {
            return error;
        }
        throw new InvalidOperationException("no error");
    }

    private static string Outcome(FpgaAssociateException error)
    {
        return error.OutcomeUnknown ? "unknown" : "known";
    }

    private static string Observed(FpgaAssociateException error)
    {
        switch (error.Observed)
        {
            case FpgaAssociateException.ObservedNothing:
                return "nothing";
            case FpgaAssociateException.ObservedAssociated:
                return "associated";
            case FpgaAssociateException.ObservedApart:
                return "apart";
            default:
                return "something else";
        }
    }
}
