// Associates FPGA images with ECS images of Huawei Cloud: libfpga_associate through P/Invoke.
//
// The environment variable FPGA_ASSOCIATE_LIBRARY names the library, such as
// /usr/lib/libfpga_associate.so.0; without it the system's loader looks for it. Mono or .NET, on
// Linux.
//
//     using (var client = new Client("ecs.cn-north-1.myhuaweicloud.com"))
//     {
//         client.Associate(token, projectId, fpgaId, ecsId);
//         foreach (var pair in client.Associations(token, projectId, null, ecsId))
//             Console.WriteLine(pair.FpgaId);
//     }
//
// A call whose token is null is made with the credentials of the client's settings.
//
// Any number of threads may use one client. A client that is disposed of while others call is freed
// after their calls have returned.

using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace FpgaAssociate
{
    /// <summary>Why a call failed. The message is one line for people.</summary>
    public sealed class FpgaAssociateException : Exception
    {
        public const int InvalidArgument = 1;
        public const int CredentialsFailed = 10;

        public const int ObservedNothing = 0;
        public const int ObservedAssociated = 1;
        public const int ObservedApart = 2;

        internal FpgaAssociateException(int status, string message) : base(message)
        {
            Status = status;
            Code = "";
            RequestId = "";
        }

        /// <summary>Copies an error, which its owner still frees.</summary>
        internal FpgaAssociateException(ErrorHandle error)
            : base(Text.From(Native.fpga_assoc_error_message(error)))
        {
            Status = Native.fpga_assoc_error_status(error);
            HttpStatus = Native.fpga_assoc_error_http_status(error);
            Code = Text.From(Native.fpga_assoc_error_code(error));
            RequestId = Text.From(Native.fpga_assoc_error_request_id(error));
            RetryAfter = TimeSpan.FromMilliseconds(Native.fpga_assoc_error_retry_after_ms(error));
            Attempts = Native.fpga_assoc_error_attempts(error);
            OutcomeUnknown = Native.fpga_assoc_error_outcome_unknown(error);
            Observed = Native.fpga_assoc_error_observed(error);
        }

        /// <summary>The fpga_assoc_status.</summary>
        public int Status { get; }

        /// <summary>Such as "FPGA_ASSOC_TIMEOUT".</summary>
        public string StatusName => Text.From(Native.fpga_assoc_status_name(Status));

        /// <summary>The likely cause and what to do about it.</summary>
        public string Help => Text.From(Native.fpga_assoc_status_help(Status));

        /// <summary>0 where no answer came.</summary>
        public int HttpStatus { get; }

        /// <summary>The service's own code, such as "Ecs.0005", or "".</summary>
        public string Code { get; }

        public string RequestId { get; }

        /// <summary>What the service asked to wait, or zero.</summary>
        public TimeSpan RetryAfter { get; }

        public uint Attempts { get; }

        /// <summary>Whether the service may have acted on the request.</summary>
        public bool OutcomeUnknown { get; }

        /// <summary>What the list showed last, such as ObservedApart.</summary>
        public int Observed { get; }
    }

    /// <summary>Signs requests; the secret key is sent nowhere.</summary>
    public sealed class AccessKey
    {
        internal readonly string accessKey, secretKey, securityToken;

        /// <summary>The security token is that of a temporary key.</summary>
        public AccessKey(string accessKey, string secretKey, string securityToken = null)
        {
            this.accessKey = accessKey;
            this.secretKey = secretKey;
            this.securityToken = securityToken;
        }
    }

    /// <summary>A token or an access key, which a callback gives.</summary>
    public sealed class Credentials
    {
        private readonly string token;
        private readonly AccessKey key;
        private readonly long expiresAt;

        /// <summary>Without a time they are used until the service refuses them.</summary>
        public Credentials(string token, DateTimeOffset? expiresAt = null)
        {
            this.token = token;
            this.expiresAt = expiresAt?.ToUnixTimeSeconds() ?? 0;
        }

        /// <summary>Without a time they are used until the service refuses them.</summary>
        public Credentials(AccessKey key, DateTimeOffset? expiresAt = null)
        {
            this.key = key;
            this.expiresAt = expiresAt?.ToUnixTimeSeconds() ?? 0;
        }

        /// <summary>What the library refuses, it says itself.</summary>
        internal void Grant(IntPtr grant)
        {
            if (key == null)
                Native.fpga_assoc_grant_token(grant, Text.To("token", token), expiresAt);
            else
                Native.fpga_assoc_grant_access_key(
                    grant, Text.To("accessKey", key.accessKey), Text.To("secretKey", key.secretKey),
                    Text.To("securityToken", key.securityToken), expiresAt);
        }
    }

    /// <summary>Why credentials are asked for: an fpga_assoc_reason.</summary>
    public enum Reason
    {
        /// <summary>The client has none yet.</summary>
        First = 1,

        /// <summary>Those that it has expire soon, or have expired.</summary>
        Expiring = 2,

        /// <summary>The service refused those that it has.</summary>
        Refused = 3,
    }

    /// <summary>Gives credentials to calls that bring no token. It is asked on the thread of a call, by
    /// one at a time: at the client's first call, before credentials expire, and when the service
    /// refuses them. No time limit of a call ends it. What it throws ends the call as CredentialsFailed,
    /// with the message. It must neither call the same client nor dispose of it.</summary>
    public delegate Credentials CredentialsCallback(Reason reason);

    /// <summary>Settings for a client; what is null keeps the library's default.</summary>
    public sealed class Settings
    {
        public uint? TimeoutMs { get; set; }
        public uint? ConnectTimeoutMs { get; set; }
        public uint? MaxAttempts { get; set; }
        public string CaFile { get; set; }

        /// <summary>As CaFile, from memory.</summary>
        public byte[] CaPem { get; set; }

        /// <summary>The certificate that the endpoint sees where it asks for one, and its key, in
        /// PEM.</summary>
        public byte[] ClientCertificate { get; set; }

        /// <summary>"" is none, null is the environment's.</summary>
        public string Proxy { get; set; }

        public string UserAgent { get; set; }
        public bool? AllowHttp { get; set; }
        public bool? Confirm { get; set; }
        public bool? Idempotent { get; set; }

        // The credentials of calls that bring no token: one kind, or none.

        public string Token { get; set; }
        public AccessKey AccessKey { get; set; }

        /// <summary>An access key from where the vendor's tools look, when the client is made.
        /// </summary>
        public bool EnvironmentCredentials { get; set; }

        /// <summary>The keys of the agency of the ECS server that this runs on.</summary>
        public bool EcsAgency { get; set; }

        public CredentialsCallback CredentialsCallback { get; set; }

        internal ConfigHandle Config()
        {
            bool[] kinds =
            {
                Token != null, AccessKey != null, EnvironmentCredentials, EcsAgency,
                CredentialsCallback != null,
            };
            if (Array.FindAll(kinds, isGiven => isGiven).Length > 1)
                throw new ArgumentException("The settings have credentials of more than one kind.");
            var config = Native.fpga_assoc_config_new();
            try
            {
                if (TimeoutMs is uint timeout)
                    Check(Native.fpga_assoc_config_set_timeout_ms(config, timeout));
                if (ConnectTimeoutMs is uint connectTimeout)
                    Check(Native.fpga_assoc_config_set_connect_timeout_ms(config, connectTimeout));
                if (MaxAttempts is uint attempts)
                    Check(Native.fpga_assoc_config_set_max_attempts(config, attempts));
                if (CaFile != null)
                    Check(Native.fpga_assoc_config_set_ca_file(config, Text.To("CaFile", CaFile)));
                if (CaPem != null)
                    Check(Native.fpga_assoc_config_set_ca_pem(config, CaPem, new UIntPtr((uint)CaPem.Length)));
                if (ClientCertificate != null)
                    Check(Native.fpga_assoc_config_set_client_certificate(
                        config, ClientCertificate, new UIntPtr((uint)ClientCertificate.Length)));
                if (Proxy != null)
                    Check(Native.fpga_assoc_config_set_proxy(config, Text.To("Proxy", Proxy)));
                if (UserAgent != null)
                    Check(Native.fpga_assoc_config_set_user_agent(config, Text.To("UserAgent", UserAgent)));
                if (AllowHttp is bool allow)
                    Check(Native.fpga_assoc_config_set_allow_http(config, allow));
                if (Confirm is bool confirm)
                    Check(Native.fpga_assoc_config_set_confirm(config, confirm));
                if (Idempotent is bool idempotent)
                    Check(Native.fpga_assoc_config_set_idempotent(config, idempotent));
                if (Token != null)
                    Check(Native.fpga_assoc_config_set_token(config, Text.To("Token", Token)));
                if (AccessKey is AccessKey key)
                    Check(Native.fpga_assoc_config_set_access_key(
                        config, Text.To("accessKey", key.accessKey), Text.To("secretKey", key.secretKey),
                        Text.To("securityToken", key.securityToken)));
                if (EnvironmentCredentials)
                    Check(Native.fpga_assoc_config_set_environment_credentials(config));
                if (EcsAgency)
                    Check(Native.fpga_assoc_config_set_ecs_agency(config));
                if (CredentialsCallback is CredentialsCallback callback)
                {
                    config.Credentials = (context, reason, grant) => Answer(callback, reason, grant);
                    Check(Native.fpga_assoc_config_set_credentials_callback(
                        config, config.Credentials, IntPtr.Zero));
                }
            }
            catch
            {
                config.Dispose();
                throw;
            }
            return config;
        }

        /// <summary>No exception may leave it through C.</summary>
        private static void Answer(CredentialsCallback callback, int reason, IntPtr grant)
        {
            try
            {
                var credentials = callback((Reason)reason);
                if (credentials == null)
                    throw new InvalidOperationException("it returned null");
                credentials.Grant(grant);
            }
            catch (Exception error)
            {
                Native.fpga_assoc_grant_refuse(grant, WordsOf(error));
            }
        }

        /// <summary>None where the exception has none, or throws one itself.</summary>
        private static byte[] WordsOf(Exception error)
        {
            try
            {
                return Text.ToAny(error.Message);
            }
            catch (Exception)
            {
                return null;
            }
        }

        private static void Check(int status)
        {
            // Setters have no error pointer; nothing else runs on this thread in between.
            if (status != 0)
                throw new FpgaAssociateException(status, Text.From(Native.fpga_assoc_last_error()));
        }
    }

    /// <summary>An FPGA image that is associated with an ECS image; "" is what the service did not
    /// give.</summary>
    public sealed class Association
    {
        internal Association(Entry entry)
        {
            EcsId = Text.From(entry.ecs_id);
            FpgaId = Text.From(entry.fpga_id);
            Name = Text.From(entry.name);
            Description = Text.From(entry.description);
            Status = Text.From(entry.status);
            CreatedAt = Text.From(entry.created_at);
            Message = Text.From(entry.message);
            Metadata = Text.From(entry.metadata);
            LogDirectory = Text.From(entry.log_directory);
            SizeMb = entry.size_mb;
            IsProtected = entry.is_protected != 0;
        }

        public string EcsId { get; }
        public string FpgaId { get; }
        public string Name { get; }
        public string Description { get; }
        public string Status { get; }
        public string CreatedAt { get; }
        public string Message { get; }
        public string Metadata { get; }
        public string LogDirectory { get; }
        public ulong SizeMb { get; }
        public bool IsProtected { get; }
    }

    /// <summary>Calls one endpoint.</summary>
    public sealed class Client : IDisposable
    {
        private readonly ClientHandle client;

        /// <summary>The settings may be null.</summary>
        public Client(string endpoint, Settings settings = null)
        {
            var name = Text.To("endpoint", endpoint);
            using (var config = settings == null ? new ConfigHandle() : settings.Config())
            {
                Native.fpga_assoc_client_new(name, config, out client, out var error);
                client.Credentials = config.Credentials;
                Raise(error);
            }
        }

        /// <summary>The version of the library that is loaded.</summary>
        public static string Version => Text.From(Native.fpga_assoc_version());

        public void Associate(string token, string projectId, string fpgaId, string ecsId)
        {
            Native.fpga_assoc_client_associate(
                client, Text.To("token", token), Text.To("projectId", projectId),
                Text.To("fpgaId", fpgaId), Text.To("ecsId", ecsId), out var error);
            Raise(error);
        }

        public void Disassociate(string token, string projectId, string fpgaId, string ecsId)
        {
            Native.fpga_assoc_client_disassociate(
                client, Text.To("token", token), Text.To("projectId", projectId),
                Text.To("fpgaId", fpgaId), Text.To("ecsId", ecsId), out var error);
            Raise(error);
        }

        /// <summary>One of the two images may be null.</summary>
        public IReadOnlyList<Association> Associations(
            string token, string projectId, string fpgaId, string ecsId)
        {
            Native.fpga_assoc_client_associations(
                client, Text.To("token", token), Text.To("projectId", projectId),
                Text.To("fpgaId", fpgaId), Text.To("ecsId", ecsId), out var list, out var error);
            using (list)
            {
                Raise(error);
                var associations = new List<Association>();
                var length = Native.fpga_assoc_list_len(list).ToUInt64();
                for (ulong index = 0; index < length; index++)
                {
                    var entry = Native.fpga_assoc_list_get(list, new UIntPtr(index));
                    associations.Add(new Association(Marshal.PtrToStructure<Entry>(entry)));
                }
                return associations;
            }
        }

        /// <summary>Closes the connections that no call uses now.</summary>
        public void CloseIdle()
        {
            Native.fpga_assoc_client_close_idle(client);
        }

        /// <summary>Ends the calls of other threads as CANCELLED.</summary>
        public void Dispose()
        {
            try
            {
                Native.fpga_assoc_client_shutdown(client);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            client.Dispose();
        }

        /// <summary>Throws what an error pointer received, if anything.</summary>
        private static void Raise(ErrorHandle error)
        {
            using (error)
            {
                if (!error.IsInvalid)
                    throw new FpgaAssociateException(error);
            }
        }
    }

    /// <summary>Text in C's form. All conversions of the runtime are for its own notion of a
    /// character set, so these are done here.</summary>
    internal static class Text
    {
        /// <summary>Throws on half a surrogate pair, where Encoding.UTF8 puts another character.
        /// </summary>
        private static readonly Encoding utf8 = new UTF8Encoding(false, true);

        /// <summary>null is NULL.</summary>
        internal static byte[] To(string name, string value)
        {
            if (value == null)
                return null;
            // C would take it for a shorter one.
            if (value.IndexOf('\0') >= 0)
                throw new FpgaAssociateException(
                    FpgaAssociateException.InvalidArgument, name + ": holds a zero byte");
            return utf8.GetBytes(value + '\0');
        }

        /// <summary>For what is only read by people: any text will do.</summary>
        internal static byte[] ToAny(string value)
        {
            return Encoding.UTF8.GetBytes(value.Replace('\0', ' ') + '\0');
        }

        internal static string From(IntPtr text)
        {
            var length = 0;
            while (Marshal.ReadByte(text, length) != 0)
                length++;
            var bytes = new byte[length];
            Marshal.Copy(text, bytes, 0, length);
            return Encoding.UTF8.GetString(bytes);
        }
    }

    internal abstract class Handle : SafeHandle
    {
        protected Handle() : base(IntPtr.Zero, true)
        {
        }

        public override bool IsInvalid => handle == IntPtr.Zero;
    }

    internal sealed class ConfigHandle : Handle
    {
        internal CredentialsFunction Credentials;

        protected override bool ReleaseHandle()
        {
            Native.fpga_assoc_config_free(handle);
            return true;
        }
    }

    internal sealed class ClientHandle : Handle
    {
        /// <summary>C calls it, as long as this holds it: a call holds this.</summary>
        internal CredentialsFunction Credentials;

        protected override bool ReleaseHandle()
        {
            Native.fpga_assoc_client_free(handle);
            return true;
        }
    }

    internal sealed class ListHandle : Handle
    {
        protected override bool ReleaseHandle()
        {
            Native.fpga_assoc_list_free(handle);
            return true;
        }
    }

    internal sealed class ErrorHandle : Handle
    {
        protected override bool ReleaseHandle()
        {
            Native.fpga_assoc_error_free(handle);
            return true;
        }
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void CredentialsFunction(IntPtr context, int reason, IntPtr grant);

    [StructLayout(LayoutKind.Sequential)]
    internal struct Entry
    {
        public IntPtr ecs_id;
        public IntPtr fpga_id;
        public IntPtr name;
        public IntPtr description;
        public IntPtr status;
        public IntPtr created_at;
        public IntPtr message;
        public IntPtr metadata;
        public IntPtr log_directory;
        public ulong size_mb;
        public byte is_protected;
    }

    /// <summary>The functions of fpga_associate.h, with their names. A C bool is one byte.</summary>
    internal static class Native
    {
        private const string Library = "libfpga_associate.so.0";
        private const int RtldNow = 2;

        /// <summary>What is loaded already is found by its own name, whatever its path was.</summary>
        static Native()
        {
            var path = Environment.GetEnvironmentVariable("FPGA_ASSOCIATE_LIBRARY");
            if (path != null && dlopen(Text.To("path", path), RtldNow) == IntPtr.Zero)
                throw new DllNotFoundException(path);
        }

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlopen(byte[] path, int flags);

        [DllImport(Library)]
        internal static extern ConfigHandle fpga_assoc_config_new();

        [DllImport(Library)]
        internal static extern void fpga_assoc_config_free(IntPtr config);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_timeout_ms(ConfigHandle config, uint ms);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_connect_timeout_ms(ConfigHandle config, uint ms);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_max_attempts(ConfigHandle config, uint attempts);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_ca_file(ConfigHandle config, byte[] path);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_ca_pem(
            ConfigHandle config, byte[] pem, UIntPtr length);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_client_certificate(
            ConfigHandle config, byte[] pem, UIntPtr length);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_proxy(ConfigHandle config, byte[] url);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_user_agent(ConfigHandle config, byte[] product);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_allow_http(
            ConfigHandle config, [MarshalAs(UnmanagedType.I1)] bool allow);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_confirm(
            ConfigHandle config, [MarshalAs(UnmanagedType.I1)] bool confirm);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_idempotent(
            ConfigHandle config, [MarshalAs(UnmanagedType.I1)] bool idempotent);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_token(ConfigHandle config, byte[] token);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_access_key(
            ConfigHandle config, byte[] accessKey, byte[] secretKey, byte[] securityToken);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_environment_credentials(ConfigHandle config);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_ecs_agency(ConfigHandle config);

        [DllImport(Library)]
        internal static extern int fpga_assoc_config_set_credentials_callback(
            ConfigHandle config, CredentialsFunction credentials, IntPtr context);

        [DllImport(Library)]
        internal static extern int fpga_assoc_grant_token(IntPtr grant, byte[] token, long expiresAt);

        [DllImport(Library)]
        internal static extern int fpga_assoc_grant_access_key(
            IntPtr grant, byte[] accessKey, byte[] secretKey, byte[] securityToken, long expiresAt);

        [DllImport(Library)]
        internal static extern int fpga_assoc_grant_refuse(IntPtr grant, byte[] message);

        [DllImport(Library)]
        internal static extern int fpga_assoc_client_new(
            byte[] endpoint, ConfigHandle config, out ClientHandle client, out ErrorHandle error);

        [DllImport(Library)]
        internal static extern int fpga_assoc_client_associate(
            ClientHandle client, byte[] token, byte[] projectId, byte[] fpgaId, byte[] ecsId,
            out ErrorHandle error);

        [DllImport(Library)]
        internal static extern int fpga_assoc_client_disassociate(
            ClientHandle client, byte[] token, byte[] projectId, byte[] fpgaId, byte[] ecsId,
            out ErrorHandle error);

        [DllImport(Library)]
        internal static extern int fpga_assoc_client_associations(
            ClientHandle client, byte[] token, byte[] projectId, byte[] fpgaId, byte[] ecsId,
            out ListHandle list, out ErrorHandle error);

        [DllImport(Library)]
        internal static extern void fpga_assoc_client_shutdown(ClientHandle client);

        [DllImport(Library)]
        internal static extern void fpga_assoc_client_close_idle(ClientHandle client);

        [DllImport(Library)]
        internal static extern void fpga_assoc_client_free(IntPtr client);

        [DllImport(Library)]
        internal static extern UIntPtr fpga_assoc_list_len(ListHandle list);

        [DllImport(Library)]
        internal static extern IntPtr fpga_assoc_list_get(ListHandle list, UIntPtr index);

        [DllImport(Library)]
        internal static extern void fpga_assoc_list_free(IntPtr list);

        [DllImport(Library)]
        internal static extern int fpga_assoc_error_status(ErrorHandle error);

        [DllImport(Library)]
        internal static extern int fpga_assoc_error_http_status(ErrorHandle error);

        [DllImport(Library)]
        internal static extern IntPtr fpga_assoc_error_message(ErrorHandle error);

        [DllImport(Library)]
        internal static extern IntPtr fpga_assoc_error_code(ErrorHandle error);

        [DllImport(Library)]
        internal static extern IntPtr fpga_assoc_error_request_id(ErrorHandle error);

        [DllImport(Library)]
        internal static extern ulong fpga_assoc_error_retry_after_ms(ErrorHandle error);

        [DllImport(Library)]
        internal static extern uint fpga_assoc_error_attempts(ErrorHandle error);

        [DllImport(Library)]
        [return: MarshalAs(UnmanagedType.I1)]
        internal static extern bool fpga_assoc_error_outcome_unknown(ErrorHandle error);

        [DllImport(Library)]
        internal static extern int fpga_assoc_error_observed(ErrorHandle error);

        [DllImport(Library)]
        internal static extern void fpga_assoc_error_free(IntPtr error);

        [DllImport(Library)]
        internal static extern IntPtr fpga_assoc_last_error();

        [DllImport(Library)]
        internal static extern IntPtr fpga_assoc_status_name(int status);

        [DllImport(Library)]
        internal static extern IntPtr fpga_assoc_status_help(int status);

        [DllImport(Library)]
        internal static extern IntPtr fpga_assoc_version();
    }
}
