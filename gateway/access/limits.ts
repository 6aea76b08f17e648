// Limits of one operation. All are on by default and can be changed in one place.

export interface OperationLimits {
  /** Lexical tokens of a document: bounds parsing and validation. */
  readonly maxTokens: number;
  /** The same without a login, because validation time grows with the square of the tokens. */
  readonly maxAnonymousTokens: number;
  /** Nesting of fields. */
  readonly maxDepth: number;
  /** Aliased fields, fragments counted at each use. */
  readonly maxAliases: number;
  /** Number of top-level fields. */
  readonly maxRootFields: number;
  /** Worst-case number of resolved fields: a field counts 1, and `first` or `limit` multiplies the fields below it. */
  readonly maxCost: number;
  /** Bytes of a request. */
  readonly maxBodyBytes: number;
  /** Size of an answer in UTF-16 code units, nearly always equal to bytes. */
  readonly maxAnswerLength: number;
  /** Mutations of one user per minute, in this process. All of them may come at once. */
  readonly mutationsPerMinute: number;
  /**
   * KiB of refused documents of one user, or of new documents of one network without a login, per minute in this process. All of them may come at
   * once.
   */
  readonly refusedKibPerMinute: number;
  /** Whether introspection is allowed. */
  readonly introspection: boolean;
  /** Whether introspection is allowed without login. */
  readonly anonymousIntrospection: boolean;
  /** Whether the public part of the schema is served without a login, regardless of the setting for introspection. */
  readonly publicSchema: boolean;
  /** Subgraphs with at most one mutation per document: one document, one device call. */
  readonly oneMutationSubgraphs: readonly string[];
  /** Root fields that need no login. */
  readonly publicFields: readonly string[];
  /** Root fields for machines, which may request only these and the public ones. */
  readonly machineFields: readonly string[];
}

export const defaultLimits: OperationLimits = {
  maxTokens: 4000,
  maxAnonymousTokens: 200,
  maxDepth: 12,
  maxAliases: 30,
  maxRootFields: 20,
  maxCost: 50_000,
  maxBodyBytes: 256 * 1024,
  maxAnswerLength: 16 * 1024 * 1024,
  mutationsPerMinute: 30_000,
  refusedKibPerMinute: 300,
  introspection: true,
  anonymousIntrospection: false,
  publicSchema: false,
  oneMutationSubgraphs: [],
  publicFields: [],
  machineFields: [],
};

/** Limits of sockets. */
export interface SocketLimits {
  readonly connectionInitTimeoutMs: number;
  readonly maxSubscriptionsPerSocket: number;
  readonly maxSocketsPerCredential: number;
  /** Over all sessions and API tokens of a user. */
  readonly maxSocketsPerUser: number;
  /** Over all sessions and API tokens of a user. */
  readonly maxSubscriptionsPerUser: number;
  /** Limit of all users together. */
  readonly maxSubscriptions: number;
  /** Fields that one event may resolve for one user's different subscriptions with the same rights. */
  readonly maxEventCost: number;
  /** Authenticated sockets. */
  readonly maxSockets: number;
  /** Limit of sockets that are not authenticated yet. Beyond it, the oldest is closed. */
  readonly maxWaitingSockets: number;
  readonly maxWaitingOfNetwork: number;
  readonly maxMessageBytes: number;
  /** A socket with more unsent data is closed. */
  readonly maxBufferedBytes: number;
  readonly pingIntervalMs: number;
  /** Interval for checking the credentials of open sockets again. */
  readonly recheckIntervalMs: number;
  /** Time that sockets stay open while credentials can't be checked. */
  readonly recheckGraceMs: number;
  /** Events kept for each shared stream, for clients that lag behind. */
  readonly ringCapacity: number;
  /** Length of the texts of those events, in UTF-16 code units. */
  readonly ringLength: number;
  /** The interval after which a client without events gets the position of the stream. */
  readonly checkpointMs: number;
}

export const defaultSocketLimits: SocketLimits = {
  connectionInitTimeoutMs: 3000,
  maxSubscriptionsPerSocket: 50,
  maxSocketsPerCredential: 100,
  maxSocketsPerUser: 500,
  maxSubscriptionsPerUser: 1000,
  maxSubscriptions: 20_000,
  maxEventCost: 2000,
  maxSockets: 10_000,
  maxWaitingSockets: 1_024,
  maxWaitingOfNetwork: 256,
  maxMessageBytes: 64 * 1024,
  maxBufferedBytes: 4 * 1024 * 1024,
  pingIntervalMs: 30_000,
  recheckIntervalMs: 2000,
  recheckGraceMs: 30_000,
  ringCapacity: 1024,
  ringLength: 2 * 1024 * 1024,
  checkpointMs: 30_000,
};

/** Limits of connections to the endpoint, for any use. */
export interface ConnectionLimits {
  readonly most: number;
  /** Limit of one network (an IPv4 address, or an IPv6 /64), without connections in use by a logged-in user. */
  readonly mostOfNetwork: number;
  /** A client that has not read its answer within this time, plus the time for its size at the slowest rate, is disconnected. */
  readonly readWithinMs: number;
  readonly slowestBytesPerSecond: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  most: 20_000,
  mostOfNetwork: 1_000,
  readWithinMs: 60_000,
  slowestBytesPerSecond: 16_384,
};
