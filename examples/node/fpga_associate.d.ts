/** Associates FPGA images with ECS images of Huawei Cloud; fpga_associate.js has a whole example. */

export const INVALID_ARGUMENT: 1;
export const CREDENTIALS_FAILED: 10;

/** What the list showed last: `observed` of an error. */
export const OBSERVED_NOTHING: 0;
export const OBSERVED_ASSOCIATED: 1;
export const OBSERVED_APART: 2;

/** The version of the library that is loaded. */
export function version(): string;

/** An access key; a temporary one has a security token. */
export interface AccessKey {
  accessKey: string;
  secretKey: string;
  securityToken?: string;
}

/** What a client does in another way than by default; the header fpga_associate.h says more of each. */
export interface CallSettings {
  /** For the whole call. */
  timeoutMs?: number;
  /** For the connection of one attempt. */
  connectTimeoutMs?: number;
  /** How often a request is sent at most. */
  maxAttempts?: number;
  /** Trusts the certificates of a PEM file alone. */
  caFile?: string;
  /** The same from memory. */
  caPem?: string | Uint8Array;
  /** The certificate that the endpoint sees where it asks for one, and its key. */
  clientCertificate?: string | Uint8Array;
  /** "" is none; unset is the environment's. */
  proxy?: string;
  /** The program's name for the service. */
  userAgent?: string;
  /** Allows http:// to other machines. */
  allowHttp?: boolean;
  /** Whether the list is asked about a change that is in doubt. */
  confirm?: boolean;
  /** Makes a success of what is already as wanted. */
  idempotent?: boolean;
}

/** The credentials of calls that bring no token: of one kind at most. */
export type Credentials =
  | Kind<'token', string>
  | Kind<'accessKey', AccessKey>
  | Kind<'environmentCredentials', boolean>
  | Kind<'ecsAgency', boolean>;

type Name = 'token' | 'accessKey' | 'environmentCredentials' | 'ecsAgency';
type Kind<One extends Name, Value> = { [name in One]?: Value } & {
  [name in Exclude<Name, One>]?: undefined;
};

/** Settings of a client; what is not given keeps the library's default. */
export type Settings = CallSettings & Credentials;

/** A text, or nothing, which the library judges: without a token, a client has credentials. */
export type Text = string | null | undefined;

/** An FPGA image that is associated with an ECS image; "" is what the service did not give. */
export interface Association {
  ecsId: string;
  fpgaId: string;
  name: string;
  description: string;
  status: string;
  createdAt: string;
  message: string;
  metadata: string;
  logDirectory: string;
  sizeMb: number;
  isProtected: boolean;
}

/** Why a call failed. The message is one line for people. */
export class FpgaAssociateError extends Error {
  constructor(status: number, message: string);
  /** The fpga_assoc_status. */
  status: number;
  /** 0 where no answer came. */
  httpStatus: number;
  /** The service's own code, such as "Ecs.0005", or "". */
  code: string;
  /** The service's name for the request, or "". */
  requestId: string;
  /** What the service asked to wait, or 0. */
  retryAfterMs: number;
  /** How often the request was sent. */
  attempts: number;
  /** Whether the service may have acted on the request. */
  outcomeUnknown: boolean;
  /** What the list showed last, such as OBSERVED_APART. */
  observed: number;
  /** Such as "FPGA_ASSOC_TIMEOUT". */
  get statusName(): string;
  /** The likely cause and what to do about it. */
  get help(): string;
}

/** Calls one endpoint, any number of times at once. It must be closed. */
export class Client {
  /** Throws a TypeError for a setting of a wrong type, an FpgaAssociateError for a wrong value. */
  constructor(endpoint: Text, settings?: Settings);
  /** Associates the two images. The error says whether that may have happened all the same. */
  associate(token: Text, projectId: Text, fpgaId: Text, ecsId: Text): Promise<void>;
  /** Undoes that, in the same way. */
  disassociate(token: Text, projectId: Text, fpgaId: Text, ecsId: Text): Promise<void>;
  /** Lists associations; one of the two images must be given. */
  associations(
    token: Text,
    projectId: Text,
    images?: { fpgaId?: Text; ecsId?: Text },
  ): Promise<Association[]>;
  /** Closes the connections that no call uses now. */
  closeIdle(): void;
  /** Ends the calls under way as CANCELLED, waits for them, and frees the client. */
  close(): Promise<void>;
}
