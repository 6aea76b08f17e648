// The relay's rows of the contract that every subgraph meets (../support/contract.ts).
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import type { Contract, World } from '../support/contract.ts';
import { element, NftDevice } from './support/nft-device.ts';
import { call, identity, projectA, projectB, projectId, RelaySystem, registerBackend } from './support/relay-system.ts';
import { fieldFaults, typedInputs } from './support/typed-inputs.ts';

export const owner = identity('OPERATOR');
export const stranger = identity('OPERATOR', projectB);
export const cmpObject = { type: 'tenant', externalId: 'shared-name' };

const names = {
  ...{ control: 'a\u0007b', nul: 'a\u0000b', long: 'x'.repeat(2_000), key: 'not used', cmpObject },
  ...{ theirProject: projectId(projectB), unknownBackend: encodeId('Backend', newUuid()) },
  ...{ hostKey: `SHA256:${'B'.repeat(43)}`, otherHostKey: `SHA256:${'D'.repeat(43)}` },
};

async function open() {
  const system = await RelaySystem.start();
  const node = await system.node();
  const device = await NftDevice.start();
  const backend = await device.register(node, 'secret-fw', { labels: [{ name: 'rack', value: 'secret' }] });
  const rule = (name: string, of: string, who = owner) =>
    call(node, 'ruleCreate', { backend: { name: of }, cmpObject, idempotencyKey: 'used', name, action: 'DROP' }, who);
  const made = await rule('secret-rule', 'secret-fw');
  const { host, port, hostKeySha256 } = device.ssh;
  const credentials = { username: 'netops', password: 'secret' };
  const registerTheirs = (name: string) =>
    registerBackend(node, { name, host, port, hostKeySha256, credentials }, stranger);
  const theirBackend = await registerTheirs('theirs');
  const theirs = await rule('theirs', 'theirs', stranger);
  // Makes these calls need attention.
  await node.db.execute("UPDATE operation SET state = 'UNKNOWN', finished_at = NULL WHERE state = 'SUCCEEDED'");
  await node.db.execute("UPDATE backend SET operating_status = 'OFFLINE'");
  const addTo = (who: typeof owner, name: string, address: string) => call(node, 'add', element(name, address), who);
  return {
    ...{ schema: node.relay.schema, db: node.db, feed: node.feed, run: node.run.bind(node) },
    ...{ owner, admin: identity('ADMIN'), outside: () => device.told.length },
    names: {
      ...{ ...names, project: projectId(projectA), realHostKey: hostKeySha256, backend, mapping: made.mapping?.id },
      ...{ operation: made.operation?.id, cmp: encodeCmpObject({ namespace: 'default', ...cmpObject }) },
      ...{ theirBackend, theirMapping: theirs.mapping?.id, theirOperation: theirs.operation?.id },
    },
    strangers: { 'a stranger': stranger },
    async changes(stream: string) {
      await device.register(node, `secret-${stream}`);
      await addTo(owner, `secret-${stream}`, '10.7.7.7');
      await registerTheirs(`own-${stream}`);
      await addTo(stranger, `own-${stream}`, '10.7.7.8');
    },
    async stop() {
      // The setup wrote the states of some calls directly, without events.
      await system.stop({ except: ['an operation is as its last event says'] });
      await device.ssh.stop();
    },
  };
}

type RelayWorld = Awaited<ReturnType<typeof open>>;
const [backend, operation, mapping] = ['id name host', 'id arguments wireCall', 'id objectKey scope'];
const events = (made: World, stream: string) => (made as RelayWorld).changes(stream);

/** Calls of one backend and one CMP object. */
const selected = Object.keys(typedInputs);
const ofBackend = { idempotencyKey: '$key', backend: { id: '$backend' }, cmpObject: '$cmpObject' };

export const relay: Contract = {
  subgraph: 'relay',
  open,
  strangers: ['a stranger'],
  administered: /^$/,
  nobody: { changes: 'NOT_FOUND|PROJECT_REQUIRED' },
  queries: `
    backend              | backend(id: <backend>) { ${backend} }
    backends             | all: backends { nodes { ${backend} } } theirs: backends(projectId: <project>) { nodes { ${backend} } }
    backendsAt           | whole: backendsAt(address: "127.0.0.1") { ${backend} } start: backendsAt(address: "12") { ${backend} }
    relayOperation       | relayOperation(id: <operation>) { ${operation} }
    relayOperations      | relayOperations { nodes { ${operation} } }
    relayOperations      | relayOperations(projectId: <project>) { nodes { ${operation} } }
    relayOperations      | relayOperations(backendId: <backend>) { nodes { ${operation} } }
    relayOperations      | relayOperations(text: <operation>) { nodes { ${operation} } } | -
    relayOperations      | relayOperations(cmpObject: {type: "tenant", externalId: "shared-name"}, text: "firewall") { nodes { ${operation} } } | -
    # Counts of calls: whoever may not see a call may not count it either.
    relayOperationCounts | relayOperationCounts { state count } | "count":[1-9]
    relayOperationCounts | relayOperationCounts(projectId: <project>) { state count } | "count":[1-9]
    relayOperationCounts | relayOperationCounts(backendId: <backend>) { state count } | "count":[1-9]
    relayOperationCounts | relayOperationCounts(cmpObject: {type: "tenant", externalId: "shared-name"}) { state count } | "count":[1-9]
    relayOperationCounts | relayOperationCounts(text: "secret") { state count } | -
    mapping              | mapping(id: <mapping>) { ${mapping} }
    mappings             | mappings { nodes { ${mapping} } }
    mappings             | mappings(projectId: <project>) { nodes { ${mapping} } }
    mappings             | mappings(backendId: <backend>) { nodes { ${mapping} } }
    relayMappingChanges  | relayMappingChanges { mappings { ${mapping} } }
    relayMappingChanges  | relayMappingChanges(projectId: <project>) { mappings { ${mapping} } }
    relayRead            | relayRead(input: {backend: {id: <backend>}, operation: "table.list", arguments: {}}) { result wireCall userErrors { code } } | -
    backendProofRead     | backendProofRead(input: {projectId: <project>, driver: "linux-nftables", host: "127.0.0.1", port: 1}) { presented { sha256 } deviceError { message } userErrors { code } } | -
    # The same for everybody: the relay's capabilities.
    relayDrivers         | relayDrivers { name } | -`,
  entities: `
    Backend        | <backend>   | ${backend}
    RelayOperation | <operation> | ${operation}
    Mapping        | <mapping>   | ${mapping}
    Attention      | "now"       | relay { totalCount needs { subjectName subjectId reason } }
    CmpObject      | <cmp>       | mappings { nodes { ${mapping} } } relayOperations { nodes { ${operation} } }`,
  streams: {
    relayOperationChanges: { selection: `{ cursor operation { ${operation} backend { name } } }`, events },
    backendChanges: { selection: `{ cursor backend { ${backend} } }`, events },
  },
  mutations: `
    backendCreate            | {name: new, driver: linux-nftables, host: 192.0.2.1, credentials: {username: u, password: p}}
    backendUpdate            | {id: $backend}
    backendHostKeyAccept     | {id: $backend, hostKeySha256: $hostKey}
    backendCertificateAccept | {id: $backend, certificateSha256: $hostKey}
    backendCircuitClose      | {id: $backend}
    backendReplayLift        | {id: $backend}
    backendDelete            | {id: $backend}
    mappingObjectDelete      | {idempotencyKey: $key, mappingId: $mapping}
    relayCall                | {idempotencyKey: $key, backend: {label: {name: rack, value: secret}}, cmpObject: $cmpObject, operation: setElement.add, arguments: {set: blocked, address: 192.0.2.7}}
    mappingAdopt             | {backend: {id: $backend}, cmpObject: $cmpObject, resource: rule, scope: inet filter forward, objectKey: there}
    mappingShare             | {id: $mapping}
    mappingUnshare           | {id: $mapping}
    mappingVerify            | {id: $mapping}
    mappingForget            | {id: $mapping}
    relayOperationSettle     | {id: $operation}
    ${selected.map((name) => `${name} | ${JSON.stringify({ ...ofBackend, ...typedInputs[name] })}`).join('\n')}`,
  fieldFaults: (mutation) =>
    fieldFaults(mutation).map(({ what, change, code, field }) => ({
      what,
      change,
      fault: `${code} ${field.replace('input.', '')}`,
    })),
  refused: `
    ${[...selected, 'relayCall', 'mappingAdopt']
      .map(
        (name) => `
    ${name} | an unknown backend                 | {backend: {id: $unknownBackend}} | NOT_FOUND backend
    ${name} | another project's backend          | {backend: {id: $theirBackend}}   | NOT_FOUND backend
    ${name} | another project's backend by name  | {backend: {name: theirs}}        | NOT_FOUND backend
    ${name} | a selector that says nothing       | {backend: {}}                    | INVALID_INPUT backend
    ${name} | an ordinal without family          | {backend: {name: secret-fw, ordinal: 1}} | INVALID_INPUT backend.ordinal
    ${name} | a bad backend name                 | {backend: {name: $control}}      | INVALID_INPUT backend.name
    ${name} | a long backend name                | {backend: {name: $long}}         | TOO_LONG backend.name
    ${name} | another project                    | {projectId: $theirProject}       | NOT_FOUND projectId
    ${name} | no project id                      | {projectId: $control}            | NOT_FOUND projectId
    ${name} | a bad role                         | {cmpObject: {type: t, externalId: '1', mappingRole: a b}} | INVALID_INPUT cmpObject.mappingRole`,
      )
      .join('')}
    ${[...selected, 'relayCall', 'mappingObjectDelete']
      .map(
        (name) => `
    ${name} | a wait without end                 | {waitMs: 120001} | INVALID_INPUT waitMs
    ${name} | a negative wait                    | {waitMs: -1}     | INVALID_INPUT waitMs`,
      )
      .join('')}
    ${[...selected, 'relayCall']
      .map(
        (name) => `
    ${name} | too long a deadline                | {deadlineMs: 600001} | INVALID_INPUT deadlineMs`,
      )
      .join('')}
    firewallAddressCreate          | a bad address   | {content: {address: 1.2.3}} | INVALID_INPUT content.address
    firewallAddressCreate          | a long name     | {content: {fqdn: $long}} | TOO_LONG content.fqdn
    firewallAddressSetElementAdd   | a comment with a quote | {comment: 'a"b'} | INVALID_INPUT comment
    firewallAddressSetElementAdd   | a bad set       | {set: a b} | INVALID_INPUT set
    firewallRuleCreate             | a bad name      | {name: a b} | INVALID_INPUT name
    firewallRuleCreate             | a bad chain     | {chain: a; b} | INVALID_INPUT chain
    firewallRuleCreate             | a bad source    | {source: {address: 1.2.3}} | INVALID_INPUT source.address
    firewallRuleCreate             | a bad destination | {destination: {address: 10.0.0.1/8}} | INVALID_INPUT destination.address
    firewallRuleCreate             | a source with both | {source: {address: 10.0.0.1, set: blocked}} | INVALID_INPUT source
    firewallRuleCreate             | a bad set       | {source: {set: $control}} | INVALID_INPUT source.set
    firewallRuleCreate             | a port without protocol | {destinationPort: 80} | INVALID_INPUT destinationPort
    firewallServiceCreate          | a range backwards | {lastPort: 1} | INVALID_INPUT lastPort
    firewallVipCreate              | a port alone    | {externalPort: 80} | INVALID_INPUT externalPort
    switchPortVlanSet              | a trunk without VLANs | {mode: TRUNK} | INVALID_INPUT vlan …
    # The only backend here is a firewall.
    switchVlanCreate               | another family  | {} | NOT_SUPPORTED
    networkPortCreate              | an address without subnet | {address: 10.0.0.9} | INVALID_INPUT subnet
    networkSecurityGroupRuleCreate | a port without protocol | {firstPort: 80} | INVALID_INPUT firstPort
    ${['backendCreate', 'backendUpdate']
      .map(
        (name) => `
    ${name} | a bad host            | {host: no host}   | INVALID_INPUT host
    ${name} | an address that is none | {host: 300.1.1.1} | INVALID_INPUT host
    ${name} | a long host           | {host: $long}     | TOO_LONG host
    ${name} | a host with a control | {host: $nul}      | INVALID_INPUT host
    ${name} | port 0                | {port: 0}         | INVALID_INPUT port
    ${name} | port 65536            | {port: 65536}     | INVALID_INPUT port
    ${name} | a long site           | {site: $long}     | TOO_LONG site
    ${name} | a site with a control | {site: $control}  | INVALID_INPUT site
    ${name} | a bad label           | {labels: [{name: a b, value: ''}]} | INVALID_INPUT labels.0.name
    ${name} | a label twice         | {labels: [{name: a, value: ''}, {name: a, value: x}]} | INVALID_INPUT labels.1.name
    ${name} | a long label          | {labels: [{name: a, value: $long}]} | TOO_LONG labels.0.value
    ${name} | no concurrency        | {limits: {concurrency: 0}} | INVALID_INPUT limits.concurrency
    ${name} | too long a queue      | {limits: {queueLimit: 10001}} | INVALID_INPUT limits.queueLimit
    ${name} | too short a deadline  | {limits: {deadlineMs: 99}} | INVALID_INPUT limits.deadlineMs
    ${name} | a long user name      | {credentials: {username: $long, password: p}} | TOO_LONG credentials.username
    ${name} | no secret             | {credentials: {username: u}} | INVALID_INPUT credentials
    ${name} | two secrets           | {credentials: {username: u, password: p, privateKey: k}} | INVALID_INPUT credentials`,
      )
      .join('')}
    backendCreate            | a bad name             | {name: a b} | INVALID_INPUT name
    backendCreate            | a name with a control  | {name: $control} | INVALID_INPUT name
    backendCreate            | a long name            | {name: $long} | TOO_LONG name
    backendCreate            | a name that is taken   | {name: secret-fw} | ALREADY_EXISTS name
    backendCreate            | no such driver         | {driver: nonsense} | INVALID_INPUT driver
    backendCreate            | a bad host key         | {hostKeySha256: 'MD5:00'} | INVALID_INPUT hostKeySha256
    backendCreate            | a long host key        | {hostKeySha256: $long} | TOO_LONG hostKeySha256
    backendUpdate            | another project's id   | {id: $theirBackend} | NOT_FOUND id
    backendHostKeyAccept     | a bad host key         | {hostKeySha256: 'MD5:00'} | INVALID_INPUT hostKeySha256
    backendHostKeyAccept     | a long host key        | {hostKeySha256: $long} | TOO_LONG hostKeySha256
    backendHostKeyAccept     | another project's id   | {id: $theirBackend} | NOT_FOUND id
    backendCertificateAccept | no fingerprint         | {certificateSha256: 'AA:BB'} | INVALID_INPUT certificateSha256
    backendCertificateAccept | a long fingerprint     | {certificateSha256: $long} | TOO_LONG certificateSha256
    backendCertificateAccept | another project's id   | {id: $theirBackend} | NOT_FOUND id
    backendCircuitClose      | another project's id   | {id: $theirBackend} | NOT_FOUND id
    backendReplayLift        | another project's id   | {id: $theirBackend} | NOT_FOUND id
    backendDelete            | another project's id   | {id: $theirBackend} | NOT_FOUND id
    backendDelete            | live mappings          | {} | HAS_MAPPINGS id
    mappingObjectDelete      | another project's id   | {mappingId: $theirMapping} | NOT_FOUND mappingId
    mappingShare             | another project's id   | {id: $theirMapping} | NOT_FOUND id
    mappingUnshare           | another project's id   | {id: $theirMapping} | NOT_FOUND id
    mappingVerify            | another project's id   | {id: $theirMapping} | NOT_FOUND id
    mappingForget            | another project's id   | {id: $theirMapping} | NOT_FOUND id
    relayOperationSettle     | another project's id   | {id: $theirOperation} | NOT_FOUND id
    relayOperationSettle     | a verdict without a note | {verdict: FAILED} | INVALID_INPUT note
    relayOperationSettle     | a long note            | {verdict: FAILED, note: $long} | TOO_LONG note
    relayOperationSettle     | a note with a control  | {verdict: FAILED, note: $control} | INVALID_INPUT note
    relayCall | no such operation      | {operation: nonsense} | NOT_SUPPORTED
    relayCall | a long operation       | {operation: $long} | TOO_LONG operation
    relayCall | a read                 | {operation: table.list, arguments: {}} | NOT_SUPPORTED operation
    relayCall | no arguments           | {arguments: {}} | INVALID_ARGUMENTS arguments.set …
    relayCall | no object              | {arguments: 7} | INVALID_ARGUMENTS arguments
    relayCall | a bad address          | {arguments: {set: s, address: x}} | INVALID_ARGUMENTS arguments.address
    relayCall | a name with a control  | {arguments: {set: $control, address: 10.0.0.1}} | INVALID_ARGUMENTS arguments.set
    relayCall | a long name            | {arguments: {set: $long, address: 10.0.0.1}} | INVALID_ARGUMENTS arguments.set
    relayCall | an argument too many   | {arguments: {set: s, address: 10.0.0.1, x: 1}} | INVALID_ARGUMENTS arguments.x
    relayCall | no key where it is needed | {operation: rule.create, arguments: {name: r, action: drop}, idempotencyKey: null} | KEY_REQUIRED idempotencyKey
    relayCall | INIT where it is not allowed | {operation: chain.create, arguments: {chain: c}} | INIT_NOT_ALLOWED operation
    mappingAdopt | a bad resource       | {resource: A b} | INVALID_INPUT resource
    mappingAdopt | an unknown resource  | {resource: nonsense} | NOT_SUPPORTED resource
    mappingAdopt | a long scope         | {scope: $long} | TOO_LONG scope
    mappingAdopt | a scope with a control | {scope: $control} | INVALID_INPUT scope
    mappingAdopt | a long key           | {objectKey: $long} | TOO_LONG objectKey
    mappingAdopt | a key with a control | {objectKey: $control} | INVALID_INPUT objectKey
    mappingAdopt | a long uuid          | {uuid: $long} | TOO_LONG uuid`,
  // For backendCircuitClose only the ID can differ.
  keyed: `
    backendCreate                   | {} | {host: 192.0.2.2}
    backendUpdate                   | {site: a} | {site: b}
    backendHostKeyAccept            | {hostKeySha256: $realHostKey} | {hostKeySha256: $hostKey}
    backendCertificateAccept        | {} | {certificateSha256: $otherHostKey}
    firewallAddressSetElementAdd    | {} | {address: 192.0.2.8}
    firewallAddressSetElementRemove | {} | {address: 192.0.2.8}
    firewallRuleCreate              | {} | {action: ACCEPT}
    mappingObjectDelete             | {force: true} | {force: false}
    relayCall                       | {} | {deadlineMs: 5000}
    relayOperationSettle            | {verdict: SUCCEEDED, note: seen} | {verdict: SUCCEEDED, note: seen too}
    backendDelete                   | {orphanMappings: true} | {orphanMappings: false}`,
};
