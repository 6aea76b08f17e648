// Every GraphQL document that the dashboard sends. `statusChanges` is one text for everybody, so that the gateway can share
// one execution between all open dashboards.

const backendFields = `fragment BackendFields on Backend {
  __typename id version name family driver ordinal site host port transport provisioningStatus operatingStatus
  cryptoProfile hostKeySha256 certificateSha256 presented { kind sha256 }
  labels { name value } project { id name }
  health { checkedAt latencyMs softwareVersion serial message }
  circuit { state since reason }
  queue { waiting inFlight limit holder }
}`;

/** What the list does not need and is seldom read. */
const backendDetailFields = `fragment BackendDetailFields on Backend {
  ...BackendFields
  allowInit options caCertificates credentialFields createdAt
  limits { concurrency queueLimit deadlineMs }
}`;

/** `state` has another name, because an operation's stands beside it in a change. */
const mappingFields = `fragment MappingFields on Mapping {
  __typename id version mappingState: state role resource scope key uuid shared updatedAt
  project { id name } backend { id name } cmpObject { namespace type externalId }
  lastVerification { at result differences { path wanted found } }
}`;

const mappingDetailFields = `fragment MappingDetailFields on Mapping {
  ...MappingFields desired createdAt operation { id name }
}`;

const operationFields = `fragment OperationFields on RelayOperation {
  __typename id version name effect state createdAt sentAt deadlineAt quietUntil finishedAt settledBy requestedBy requestId
  backend { id name } project { id name }
  cmpObject { namespace type externalId }
  deviceError { code message }
}`;

const operationDetailFields = `fragment OperationDetailFields on RelayOperation {
  ...OperationFields
  arguments wireCall result
  evidence { at source finding note }
  mappings { ...MappingFields }
}`;

const changeFields = `fragment ChangeFields on StatusChange {
  id at kind subjectType subjectId subjectVersion from to reason project { id name }
  subject {
    __typename ...BackendFields ...OperationFields ...MappingFields
  }
}`;

const userErrors = 'userErrors { code message field retry retryAfterMs }';
const tokens = `accessToken accessTokenExpiresAt refreshToken ${userErrors}`;

export const loginMutation = `mutation DashboardLogin($input: LoginInput!) { login(input: $input) { ${tokens} } }`;

export const sessionRefreshMutation = `mutation DashboardRefresh($input: SessionRefreshInput!) {
  sessionRefresh(input: $input) { ${tokens} }
}`;

export const logoutMutation = `mutation DashboardLogout { logout { ${userErrors} } }`;

/** Read first: everything after this cursor comes by subscription. */
export const startQuery = `query DashboardStart {
  statusCursor
  me { name admin projects { role project { id name } } }
}`;

export const backendsQuery = `query DashboardBackends($after: String) {
  backends(first: 100, after: $after) { nodes { ...BackendFields } pageInfo { hasNextPage endCursor } }
} ${backendFields}`;

export const backendQuery = `query DashboardBackend($id: ID!) {
  backend(id: $id) { ...BackendDetailFields }
} ${backendDetailFields} ${backendFields}`;

/** Of those that are not gone. */
export const driftQuery = `query DashboardDrift($verification: [MappingVerificationResult!], $after: String) {
  mappings(states: [ACTIVE, UNVERIFIED], verification: $verification, first: 100, after: $after) {
    nodes { ...MappingFields } pageInfo { hasNextPage endCursor }
  }
} ${mappingFields}`;

export const mappingQuery = `query DashboardMapping($id: ID!) {
  mapping(id: $id) { ...MappingDetailFields }
} ${mappingDetailFields} ${mappingFields}`;

export const operationsQuery = `query DashboardOperations(
  $projectId: ID, $backendId: ID, $states: [RelayOperationState!], $after: String
) {
  relayOperations(projectId: $projectId, backendId: $backendId, states: $states, first: 100, after: $after) {
    nodes { ...OperationFields } pageInfo { hasNextPage endCursor }
  }
} ${operationFields}`;

export const historyQuery = `query DashboardHistory {
  statusHistory(first: 50) { nodes { ...ChangeFields } }
} ${changeFields} ${backendFields} ${operationFields} ${mappingFields}`;

export const operationQuery = `query DashboardOperation($id: ID!) {
  relayOperation(id: $id) { ...OperationDetailFields }
} ${operationDetailFields} ${operationFields} ${mappingFields}`;

export const statusChangesSubscription = `subscription DashboardChanges($after: String) {
  statusChanges(after: $after) { cursor change { ...ChangeFields } }
} ${changeFields} ${backendFields} ${operationFields} ${mappingFields}`;

export const operationSettleMutation = `mutation DashboardSettle($input: RelayOperationSettleInput!) {
  relayOperationSettle(input: $input) { operation { ...OperationDetailFields } ${userErrors} }
} ${operationDetailFields} ${operationFields} ${mappingFields}`;

export const circuitCloseMutation = `mutation DashboardCircuitClose($input: BackendCircuitCloseInput!) {
  backendCircuitClose(input: $input) { backend { ...BackendFields } ${userErrors} }
} ${backendFields}`;

export const hostKeyAcceptMutation = `mutation DashboardHostKeyAccept($input: BackendHostKeyAcceptInput!) {
  backendHostKeyAccept(input: $input) { backend { ...BackendFields } ${userErrors} }
} ${backendFields}`;

export const certificateAcceptMutation = `mutation DashboardCertificateAccept($input: BackendCertificateAcceptInput!) {
  backendCertificateAccept(input: $input) { backend { ...BackendFields } ${userErrors} }
} ${backendFields}`;

export const mappingVerifyMutation = `mutation DashboardVerify($input: MappingVerifyInput!) {
  mappingVerify(input: $input) { mapping { ...MappingFields } ${userErrors} }
} ${mappingFields}`;
