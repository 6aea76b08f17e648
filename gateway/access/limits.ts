// What one operation may ask for at most. All are on by default and can be changed in one place.

export interface OperationLimits {
  /** Lexical tokens of a document: bounds parsing and validation. */
  readonly maxTokens: number;
  /** Nesting of fields. */
  readonly maxDepth: number;
  /** Aliased fields, fragments counted at each use. */
  readonly maxAliases: number;
  /** Fields at the top. */
  readonly maxRootFields: number;
  /** Fields to resolve at worst: a field counts 1, and `first` or `limit` multiplies what is below it. */
  readonly maxCost: number;
  /** Bytes of a request. */
  readonly maxBodyBytes: number;
  /** Of an answer in UTF-16 code units, which are bytes for nearly all of it. */
  readonly maxAnswerLength: number;
  /** Whether the schema may be asked for. */
  readonly introspection: boolean;
  /** Also without login. */
  readonly anonymousIntrospection: boolean;
  /** Subgraphs of whose mutations one document may have only one: one document, one device call. */
  readonly oneMutationSubgraphs: readonly string[];
  /** Root fields that may be asked for without login. */
  readonly publicFields: readonly string[];
  /** Root fields that a machine may ask for: it may ask for no other but the public ones. */
  readonly machineFields: readonly string[];
}

export const defaultLimits: OperationLimits = {
  maxTokens: 4000,
  maxDepth: 12,
  maxAliases: 30,
  maxRootFields: 20,
  maxCost: 20_000,
  maxBodyBytes: 256 * 1024,
  maxAnswerLength: 16 * 1024 * 1024,
  introspection: true,
  anonymousIntrospection: false,
  oneMutationSubgraphs: [],
  publicFields: [],
  machineFields: [],
};

/** Bounds on sockets. */
export interface SocketLimits {
  readonly connectionInitTimeoutMs: number;
  readonly maxSubscriptionsPerSocket: number;
  readonly maxSocketsPerCredential: number;
  /** Sockets that have said who they are. */
  readonly maxSockets: number;
  /** Sockets that have not: when there are more, the oldest goes. */
  readonly maxWaitingSockets: number;
  readonly maxWaitingOfNetwork: number;
  readonly maxMessageBytes: number;
  /** A socket with more waiting to be sent is cut. */
  readonly maxBufferedBytes: number;
  readonly pingIntervalMs: number;
  /** How often open sockets' credentials are checked again. */
  readonly recheckIntervalMs: number;
  /** How long sockets stay up while credentials can't be checked. */
  readonly recheckGraceMs: number;
  /** Events kept for each shared stream, for clients that are behind. */
  readonly ringCapacity: number;
}

export const defaultSocketLimits: SocketLimits = {
  connectionInitTimeoutMs: 3000,
  maxSubscriptionsPerSocket: 50,
  maxSocketsPerCredential: 100,
  maxSockets: 10_000,
  maxWaitingSockets: 1_024,
  maxWaitingOfNetwork: 256,
  maxMessageBytes: 64 * 1024,
  maxBufferedBytes: 4 * 1024 * 1024,
  pingIntervalMs: 30_000,
  recheckIntervalMs: 2000,
  recheckGraceMs: 30_000,
  ringCapacity: 1024,
};
