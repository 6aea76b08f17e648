// GraphiQL's first tabs: the main job, a subscription, the backend objects of a CMP object, and a call without a mutation of its own.
import type { GraphiQLProps } from 'graphiql';

const mainJob = `# The main job in two steps: the run button asks which.
#
# GraphiQL uses the login of the dashboard in this tab. Without it,
# put a token into the Headers editor:
#    { "Authorization": "Bearer …" }
# The idempotency keys below make a repetition safe: the same key
# gives the same operation, never a second call.

mutation MainJob1AddressAdd(
  $addressKey: String!
  $backend: BackendSelector!
  $tenant: MappingCmpObjectInput!
) {
  firewallAddressSetElementAdd(
    input: {
      idempotencyKey: $addressKey
      backend: $backend
      cmpObject: $tenant
      set: "blocked"
      address: "203.0.113.7"
    }
  ) {
    ...Outcome
  }
}

mutation MainJob2RuleCreate(
  $ruleKey: String!
  $backend: BackendSelector!
  $tenant: MappingCmpObjectInput!
) {
  firewallRuleCreate(
    input: {
      idempotencyKey: $ruleKey
      backend: $backend
      cmpObject: $tenant
      name: "tenant-42-blocked"
      source: { set: "blocked" }
      action: DROP
    }
  ) {
    ...Outcome
  }
}

fragment Outcome on RelayPayload {
  operation { id state wireCall deviceError { code message } }
  mapping { resource scope objectKey mappingState }
  userErrors { code message field retry }
  commit { replication { state reason } }
}
`;

const mainJobVariables = `{
  "backend": { "family": "FIREWALL" },
  "tenant": { "type": "tenant", "externalId": "42" },
  "addressKey": "graphiql-address-1",
  "ruleKey": "graphiql-rule-1"
}
`;

const subscription = `# Every status change as it happens. Run it, then run the main job in another window.
# To resume without a gap, give the last cursor as \`after\`.

subscription Changes {
  statusChanges {
    cursor
    kind
    change {
      changedAt
      kind
      from
      to
      reason
      subject {
        ... on RelayOperation { name state backend { name } }
        ... on Backend { name operatingStatus }
      }
    }
  }
}
`;

const cmpObject = `# What an object of the CMP became on every backend, and the calls made for it.

query Tenant42 {
  cmpObject(type: "tenant", externalId: "42") {
    mappings(first: 20) {
      nodes { backend { name } resource scope objectKey uuid mappingState }
    }
    relayOperations(first: 10) {
      nodes { name state createdAt backend { name } deviceError { code message } }
    }
  }
}
`;

const operations = `# What each driver offers beside the typed mutations. Take a name and the arguments
# from an example into the next tab; argumentsSchema says what else they may be.

query Operations {
  relayDrivers {
    name
    family
    typedMutations
    operations { name summary category effect example argumentsSchema }
  }
}
`;

const anyCall = `# Any operation of a backend's driver. dryRun shows exactly what would go over the wire,
# and what the device's own check says of it where it has one; nothing is changed.
# Without dryRun it is done: give a new idempotencyKey for each new request.

mutation AnyCall($backend: BackendSelector!, $operation: String!, $arguments: JSON!, $dryRun: Boolean = true) {
  relayCall(
    input: {
      idempotencyKey: "graphiql-call-1"
      backend: $backend
      operation: $operation
      arguments: $arguments
      dryRun: $dryRun
    }
  ) {
    wireCall
    deviceCheck { code message }
    operation { id state result deviceError { code message } }
    mapping { resource scope objectKey uuid mappingState }
    userErrors { code message field retry }
  }
}

# The same for an operation that only reads.
query AnyRead($backend: BackendSelector!, $operation: String!, $arguments: JSON!) {
  relayRead(input: { backend: $backend, operation: $operation, arguments: $arguments }) {
    result
    wireCall
    deviceError { code message }
    userErrors { code message field }
  }
}
`;

const anyCallVariables = `{
  "backend": { "name": "lab-firewall" },
  "operation": "set.create",
  "arguments": { "set": "tenant-42" }
}
`;

export const exampleTabs: NonNullable<GraphiQLProps['defaultTabs']> = [
  { query: mainJob, variables: mainJobVariables },
  { query: subscription },
  { query: cmpObject },
  { query: operations },
  { query: anyCall, variables: anyCallVariables },
];
