// Every GraphQL document that the dashboard sends. `statusChanges` is one text for everybody, so that the gateway can share
// one execution between all open dashboards.

const backendFields = `fragment BackendFields on Backend {
  __typename id version name family driver ordinal site host port hostKeySha256 provisioningStatus operatingStatus
  labels { name value } project { id name }
  health { checkedAt latencyMs softwareVersion message }
  circuit { state since reason }
  queue { waiting inFlight limit holder }
}`;

const operationFields = `fragment OperationFields on Operation {
  __typename id version name effect state createdAt sentAt deadlineAt quietUntil finishedAt settledBy requestedBy requestId
  backend { id name } project { id name }
  cmpObject { namespace type externalId }
  deviceError { code message }
}`;

const operationDetailFields = `fragment OperationDetailFields on Operation {
  ...OperationFields
  arguments wireCall result
  evidence { at source finding note }
  mappings { id role resource scope key uuid state cmpObject { namespace type externalId } }
}`;

const changeFields = `fragment ChangeFields on StatusChange {
  id at kind subjectType subjectId subjectVersion from to reason project { id name }
  subject {
    __typename ...BackendFields ...OperationFields
    ... on Mapping { id key cmpObject { namespace type externalId } }
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

export const operationsQuery = `query DashboardOperations(
  $projectId: ID, $backendId: ID, $states: [OperationState!], $after: String
) {
  operations(projectId: $projectId, backendId: $backendId, states: $states, first: 100, after: $after) {
    nodes { ...OperationFields } pageInfo { hasNextPage endCursor }
  }
} ${operationFields}`;

export const historyQuery = `query DashboardHistory {
  statusHistory(first: 50) { nodes { ...ChangeFields } }
} ${changeFields} ${backendFields} ${operationFields}`;

export const operationQuery = `query DashboardOperation($id: ID!) {
  operation(id: $id) { ...OperationDetailFields }
} ${operationDetailFields} ${operationFields}`;

export const statusChangesSubscription = `subscription DashboardChanges($after: String) {
  statusChanges(after: $after) { cursor change { ...ChangeFields } }
} ${changeFields} ${backendFields} ${operationFields}`;

export const operationSettleMutation = `mutation DashboardSettle($input: OperationSettleInput!) {
  operationSettle(input: $input) { operation { ...OperationDetailFields } ${userErrors} }
} ${operationDetailFields} ${operationFields}`;

export const circuitCloseMutation = `mutation DashboardCircuitClose($input: BackendCircuitCloseInput!) {
  backendCircuitClose(input: $input) { backend { ...BackendFields } ${userErrors} }
} ${backendFields}`;
