// The graph's relaying mutations as call requests: the typed ones of family FIREWALL, and `relayCall` for everything else.

import type { Database } from '../../../platform/database/database.ts';
import { invariant, refuse } from '../../../platform/errors.ts';
import type { Identity } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import type { InputCheck } from '../../../platform/input.ts';
import { maySee } from '../access.ts';
import { readBackend } from '../backends/backend-store.ts';
import { type BackendSelector, checkSelector } from '../backends/selector.ts';
import type { Driver, FirewallCalls, FirewallPeer, TypedCall } from '../drivers/driver.ts';
import { type MappingRow, readMapping } from '../mappings/mapping-store.ts';
import { type CallInput, type CallRequest, notSupported, type PlannedCall, type Target } from './call-request.ts';

export interface SelectedInput extends CallInput {
  readonly backend: BackendSelector;
}
export interface RelayCallInput extends SelectedInput {
  readonly operation: string;
  readonly arguments: unknown;
}
export interface SetElementInput extends SelectedInput {
  readonly set: string;
  readonly address: string;
  readonly comment?: string | null;
}
export interface RuleCreateInput extends SelectedInput {
  readonly name: string;
  readonly chain?: string | null;
  readonly source?: FirewallPeer | null;
  readonly destination?: FirewallPeer | null;
  readonly protocol?: 'TCP' | 'UDP' | 'ICMP' | null;
  readonly destinationPort?: number | null;
  readonly action: 'ACCEPT' | 'DROP' | 'REJECT';
}
export interface RuleDeleteInput extends CallInput {
  readonly mappingId: string;
}

const longestOperationName = 64;

export function relayCall(input: RelayCallInput): CallRequest {
  return selected('relayCall', input, false, {
    check: (check) => check.text('operation', input.operation, { required: true, min: 1, max: longestOperationName }),
    plan: () => ({
      operation: input.operation,
      arguments: input.arguments,
      fieldOf: (path) => ['input', 'arguments', ...path],
      faultCode: 'INVALID_ARGUMENTS',
    }),
  });
}

export function setElementAdd(input: SetElementInput): CallRequest {
  let address = input.address;
  return selected('firewallAddressSetElementAdd', input, true, {
    check(check) {
      checkNamed(check, 'set', input.set);
      address = check.addressBlock('address', input.address) ?? '';
      check.text('comment', input.comment, { max: 88 });
    },
    plan: (driver) =>
      typed(driver, 'firewallAddressSetElementAdd', (calls) => calls.addressSetElementAdd({ ...input, address })),
  });
}

export function setElementRemove(input: SetElementInput): CallRequest {
  let address = input.address;
  return selected('firewallAddressSetElementRemove', input, true, {
    check(check) {
      checkNamed(check, 'set', input.set);
      address = check.addressBlock('address', input.address) ?? '';
    },
    plan: (driver) =>
      typed(driver, 'firewallAddressSetElementRemove', (calls) => calls.addressSetElementRemove({ ...input, address })),
  });
}

export function ruleCreate(input: RuleCreateInput): CallRequest {
  let peers: { source?: FirewallPeer | null; destination?: FirewallPeer | null } = {};
  return selected('firewallRuleCreate', input, true, {
    check(check) {
      checkNamed(check, 'name', input.name);
      if (input.chain != null) checkNamed(check, 'chain', input.chain);
      peers = {
        source: checkPeer(check, 'source', input.source),
        destination: checkPeer(check, 'destination', input.destination),
      };
      if (input.destinationPort == null) return;
      check.port('destinationPort', input.destinationPort);
      if (input.protocol !== 'TCP' && input.protocol !== 'UDP')
        check.fault('destinationPort', 'destinationPort needs the protocol TCP or UDP');
    },
    plan: (driver) => typed(driver, 'firewallRuleCreate', (calls) => calls.ruleCreate({ ...input, ...peers })),
  });
}

/** The rule by its mapping: the device's own handle is in it. */
export function ruleDelete(db: Database, identity: Identity | null, input: RuleDeleteInput): CallRequest {
  let mapping: MappingRow | undefined;
  return {
    action: 'firewallRuleDelete',
    input,
    keyRequired: true,
    selector: null,
    check: () => undefined,
    async target(): Promise<Target> {
      const id = decodeUuid('Mapping', input.mappingId);
      mapping = id === undefined ? undefined : await readMapping(db, id);
      const backend = mapping === undefined ? undefined : await readBackend(db, mapping.backendId);
      if (mapping === undefined || backend === undefined || !maySee(identity, mapping.projectId))
        refuse('NOT_FOUND', `no Mapping has the id ${JSON.stringify(input.mappingId.slice(0, 80))}`, {
          field: ['input', 'mappingId'],
        });
      return {
        by: 'mapping',
        backend,
        object: { resource: mapping.resource, scope: mapping.scope, key: mapping.objectKey },
        cmp: {
          namespace: mapping.namespace,
          type: mapping.cmpType,
          externalId: mapping.cmpId,
          role: mapping.role,
        },
        shared: mapping.shared === 1,
      };
    },
    plan(driver) {
      invariant(mapping !== undefined, 'the mapping was read with the target');
      const { state, scope, objectKey, uuid } = mapping;
      if (state === 'DELETED' || state === 'ORPHAN')
        refuse('WRONG_STATE', `the mapping is ${state}: there is no rule to delete`, { field: ['input', 'mappingId'] });
      const call = driver.firewall?.ruleDelete({ scope, key: objectKey, uuid });
      if (call === undefined)
        refuse('WRONG_STATE', 'the mapping has no handle of a rule: settle the operation that made it first', {
          field: ['input', 'mappingId'],
        });
      return asPlan(call, () => ['input', 'mappingId']);
    },
  };
}

function selected(
  action: string,
  input: SelectedInput,
  keyRequired: boolean,
  parts: { check(check: InputCheck): void; plan(driver: Driver): PlannedCall },
): CallRequest {
  return {
    action,
    input,
    keyRequired,
    selector: input.backend,
    check(check) {
      checkSelector(check, input.backend, input.cmpObject);
      parts.check(check);
    },
    target: async () => ({ by: 'selector', selector: input.backend }),
    plan: parts.plan,
  };
}

function typed(driver: Driver, what: string, make: (calls: FirewallCalls) => TypedCall | undefined): PlannedCall {
  const call = driver.firewall === undefined ? undefined : make(driver.firewall);
  if (call === undefined) notSupported(driver, what);
  return asPlan(call, (path) => ['input', ...path]);
}

function asPlan(call: TypedCall, fieldOf: PlannedCall['fieldOf']): PlannedCall {
  return { ...call, fieldOf, faultCode: 'INVALID_INPUT' };
}

/** Names that go to a device: what the driver's own schema says is checked after. */
function checkNamed(check: InputCheck, field: string, value: string): void {
  const wants = 'letters, digits, dot, hyphen, underscore';
  check.text(field, value, { required: true, min: 1, max: 63, pattern: /^[A-Za-z0-9._-]+$/, wants });
}

function checkPeer(check: InputCheck, field: string, peer: FirewallPeer | null | undefined): FirewallPeer | null {
  if (peer == null) return null;
  if (peer.set != null && peer.address != null)
    check.fault(field, `${field} has an address and a set: give at most one of the two`);
  if (peer.set != null) checkNamed(check, `${field}.set`, peer.set);
  if (peer.address == null) return peer;
  const address = check.addressBlock(`${field}.address`, peer.address);
  return address === undefined ? peer : { ...peer, address };
}
