// Associates an FPGA image with an ECS image and lists what the ECS image has.
//
//     mcs -out:main.exe Main.cs FpgaAssociate.cs
//     mono main.exe [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
//
// The environment variable FPGA_TOKEN holds a token. Without it --agency takes the keys of the agency of
// the ECS server that this runs on, and otherwise there is an access key where the vendor's tools look
// for one: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK. FPGA_ASSOCIATE_LIBRARY is the library's path. The
// exit status is the fpga_assoc_status.

using System;
using FpgaAssociate;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        var agency = arguments.Length > 0 && arguments[0] == "--agency";
        var first = agency ? 1 : 0;
        if (arguments.Length != first + 4)
        {
            Console.Error.WriteLine(
                "usage: main [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID");
            return FpgaAssociateException.InvalidArgument;
        }

        try
        {
            using (var client = new Client(arguments[first], Credentials(agency)))
                AssociateAndList(
                    client, arguments[first + 1], arguments[first + 2], arguments[first + 3]);
            return 0;
        }
        catch (FpgaAssociateException error)
        {
            Report(error);
            return error.Status;
        }
    }

    private static Settings Credentials(bool agency)
    {
        var token = Environment.GetEnvironmentVariable("FPGA_TOKEN");
        if (token != null)
            return new Settings { Token = token };
        return new Settings { EcsAgency = agency, EnvironmentCredentials = !agency };
    }

    private static void AssociateAndList(Client client, string projectId, string fpgaId, string ecsId)
    {
        client.Associate(null, projectId, fpgaId, ecsId);
        Console.WriteLine($"FPGA image {fpgaId} is associated with ECS image {ecsId}");
        foreach (var pair in client.Associations(null, projectId, null, ecsId))
        {
            var isProtected = pair.IsProtected ? "protected" : "not protected";
            Console.WriteLine(
                $"{pair.EcsId}  {pair.FpgaId}  {pair.Status}  {pair.SizeMb} MB  {isProtected}  {pair.Name}");
        }
    }

    private static void Report(FpgaAssociateException error)
    {
        Console.Error.WriteLine($"error: {error.Message}");
        Console.Error.WriteLine($"  status:     {error.StatusName} ({error.Status})");
        if (error.Code != "")
            Console.Error.WriteLine($"  code:       {error.Code}");
        if (error.RequestId != "")
            Console.Error.WriteLine($"  request id: {error.RequestId}");
        if (error.OutcomeUnknown)
            Console.Error.WriteLine("  outcome:    unknown, the service may have acted");
        if (error.Status == FpgaAssociateException.CredentialsFailed)
            Console.Error.WriteLine(
                "  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, "
                + "or, on an ECS server with an agency, --agency");
        Console.Error.WriteLine($"  help:       {error.Help}");
    }
}
