// The shapes that the documents in documents.ts select. A test checks those documents against the schema.

export const operationStates = ['PENDING', 'SENT', 'ACCEPTED', 'UNKNOWN', 'FAILED', 'SUCCEEDED', 'REJECTED'] as const;

export type OperationState = (typeof operationStates)[number];
export type OperatingStatus = 'ONLINE' | 'OFFLINE' | 'UNKNOWN';
export type ProvisioningStatus = 'ENABLED' | 'DISABLED' | 'DELETED';
export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';
export type ProofKind = 'HOST_KEY' | 'CERTIFICATE';
export type MappingState = 'ACTIVE' | 'UNVERIFIED' | 'ORPHAN' | 'DELETED';
export type VerificationResult = 'MATCHES' | 'DRIFTED' | 'MISSING';
export type Role = 'OPERATOR' | 'MEMBER' | 'VIEWER';

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface DeviceError {
  readonly code: string;
  readonly message: string;
}

export interface CmpObject {
  readonly namespace: string;
  readonly type: string;
  readonly externalId: string;
}

export interface Backend extends Named {
  readonly __typename: 'Backend';
  readonly version: number;
  readonly project: Named | null;
  readonly family: string;
  readonly driver: string;
  readonly ordinal: number;
  readonly site: string | null;
  readonly labels: readonly { readonly name: string; readonly value: string }[];
  readonly host: string;
  readonly port: number;
  readonly transport: 'SSH' | 'HTTPS' | 'OVSDB';
  readonly provisioningStatus: ProvisioningStatus;
  readonly operatingStatus: OperatingStatus;
  readonly health: {
    readonly checkedAt: string | null;
    readonly latencyMs: number | null;
    readonly softwareVersion: string | null;
    readonly serial: string | null;
    readonly message: string | null;
  };
  readonly circuit: { readonly state: CircuitState; readonly since: string | null; readonly reason: string | null };
  readonly queue: {
    readonly waiting: number;
    readonly inFlight: number;
    readonly limit: number;
    readonly holder: string | null;
  };
  readonly cryptoProfile: string;
  readonly hostKeySha256: string | null;
  readonly certificateSha256: string | null;
  /** What the device showed last that is not accepted. */
  readonly presented: { readonly kind: ProofKind; readonly sha256: string } | null;
}

export interface BackendDetail extends Backend {
  readonly allowInit: boolean;
  readonly options: unknown;
  readonly caCertificates: string | null;
  readonly credentialFields: readonly string[];
  readonly createdAt: string;
  readonly limits: { readonly concurrency: number; readonly queueLimit: number; readonly deadlineMs: number };
}

export interface Operation extends Named {
  readonly __typename: 'RelayOperation';
  readonly version: number;
  readonly project: Named | null;
  readonly backend: Named | null;
  readonly effect: string;
  readonly state: OperationState;
  readonly cmpObject: CmpObject | null;
  readonly deviceError: DeviceError | null;
  readonly createdAt: string;
  readonly sentAt: string | null;
  readonly deadlineAt: string | null;
  readonly quietUntil: string | null;
  readonly finishedAt: string | null;
  readonly settledBy: string | null;
  readonly requestedBy: string;
  readonly requestId: string | null;
}

export interface MappingDifference {
  readonly path: string;
  readonly wanted: unknown;
  /** Null: nothing. */
  readonly found: unknown;
}

export interface Mapping {
  readonly __typename: 'Mapping';
  readonly id: string;
  readonly version: number;
  readonly project: Named | null;
  readonly backend: Named | null;
  readonly cmpObject: CmpObject | null;
  readonly role: string;
  readonly resource: string;
  readonly scope: string;
  readonly key: string;
  readonly uuid: string | null;
  readonly shared: boolean;
  readonly mappingState: MappingState;
  readonly updatedAt: string;
  /** Null: nobody looked since it last changed. */
  readonly lastVerification: {
    readonly at: string;
    readonly result: VerificationResult;
    readonly differences: readonly MappingDifference[];
  } | null;
}

export interface MappingDetail extends Mapping {
  readonly desired: unknown;
  readonly createdAt: string;
  readonly operation: Named | null;
}

export interface OperationDetail extends Operation {
  readonly arguments: unknown;
  readonly wireCall: string | null;
  readonly result: unknown;
  readonly evidence: readonly {
    readonly at: string;
    readonly source: string;
    readonly finding: string;
    readonly note: string | null;
  }[];
  readonly mappings: readonly Mapping[];
}

/** A subject of a type that is not shown here. */
export interface OtherSubject {
  readonly __typename: string;
  readonly id?: undefined;
}

export interface StatusChange {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly project: Named | null;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly subjectVersion: number;
  readonly from: string | null;
  readonly to: string;
  readonly reason: string | null;
  /** Null when the subject is gone or its subgraph is away; see OtherSubject for one of another type. */
  readonly subject: Backend | Operation | Mapping | OtherSubject | null;
}

export interface FeedItem {
  readonly cursor: string;
  readonly change: StatusChange | null;
}

export interface PageInfo {
  readonly hasNextPage: boolean;
  readonly endCursor: string | null;
}

export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: PageInfo;
}

export interface UserError {
  readonly code: string;
  readonly message: string;
  readonly field: readonly string[];
  readonly retry: 'SAME_KEY' | 'NEW_KEY' | 'NEVER';
  readonly retryAfterMs: number | null;
}

export interface Viewer {
  readonly name: string;
  readonly admin: boolean;
  readonly projects: readonly { readonly role: Role; readonly project: Named }[];
}

export interface TokenPair {
  readonly accessToken: string;
  readonly accessTokenExpiresAt: string;
  readonly refreshToken: string;
}
