// Associates an FPGA image with an ECS image and lists what the ECS image has.
//
//     mcs -out:main.exe Main.cs FpgaAssociate.cs
//     mono main.exe ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
//
// The token comes from the environment variable FPGA_TOKEN, the library's path from
// FPGA_ASSOCIATE_LIBRARY. The exit status is the fpga_assoc_status.

using System;
using FpgaAssociate;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments.Length != 4)
        {
            Console.Error.WriteLine("usage: main ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID");
            return FpgaAssociateException.InvalidArgument;
        }
        var token = Environment.GetEnvironmentVariable("FPGA_TOKEN");
        if (token == null)
        {
            Console.Error.WriteLine("error: the environment variable FPGA_TOKEN is not set");
            return FpgaAssociateException.InvalidArgument;
        }

        try
        {
            AssociateAndList(arguments[0], token, arguments[1], arguments[2], arguments[3]);
            return 0;
        }
        catch (FpgaAssociateException error)
        {
            Report(error);
            return error.Status;
        }
    }

    private static void AssociateAndList(
        string endpoint, string token, string projectId, string fpgaId, string ecsId)
    {
        using (var client = new Client(endpoint))
        {
            client.Associate(token, projectId, fpgaId, ecsId);
            Console.WriteLine($"FPGA image {fpgaId} is associated with ECS image {ecsId}");
            foreach (var pair in client.Associations(token, projectId, null, ecsId))
            {
                var isProtected = pair.IsProtected ? "protected" : "not protected";
                Console.WriteLine(
                    $"{pair.EcsId}  {pair.FpgaId}  {pair.Status}  {pair.SizeMb} MB  {isProtected}  {pair.Name}");
            }
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
        Console.Error.WriteLine($"  help:       {error.Help}");
    }
}
