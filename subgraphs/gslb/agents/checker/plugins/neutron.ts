// NEUTRON_LBAAS_V2 and NEUTRON_PORT: the status of an Octavia load balancer or a port in OpenStack. That status is the result,
// and nothing is sent to the member's addresses. If OpenStack does not answer, there is no result. The monitor's credentials are
// a Keystone account, and `id` comes from the member.
import { isDown, isUp } from '../../../../../platform/checks/probe.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../../../platform/values/json.ts';
import { checkTypes } from '../../../spec/check-types.ts';
import type { StackReading } from '../tools/openstack.ts';
import type { Checked, CheckPlugin, CheckTools } from './plugin.ts';

interface StackParameters {
  readonly url: string;
  readonly authUrl: string;
  readonly project: string;
  readonly userDomain?: string;
  readonly projectDomain?: string;
  readonly caCertificates?: string;
  readonly certificateSha256?: string;
  readonly id?: string;
}

type Run = Parameters<CheckPlugin<StackParameters>['check']>[1];

/** Octavia API v2, "Get the Load Balancer status tree". */
export const lbaasPlugin: CheckPlugin<StackParameters> = {
  ...checkTypes.NEUTRON_LBAAS_V2,
  connectsItself: true,
  async check(checked, run, tools) {
    const { status, body } = await read(checked, run, tools, '/v2/lbaas/loadbalancers/', '/status');
    if (status === 404) return isDown('Octavia has no such load balancer');
    const tree = objectIn(objectIn(body, 'statuses'), 'loadbalancer');
    const [operating, provisioning] = [tree?.operating_status, tree?.provisioning_status];
    if (status !== 200 || typeof operating !== 'string') throw unreadable('Octavia', { status, body });
    if (provisioning === 'DELETED' || provisioning === 'PENDING_DELETE')
      return isDown(`Octavia's load balancer is ${provisioning}`);
    if (['ONLINE', 'DEGRADED', 'NO_MONITOR'].includes(operating)) return isUp;
    return isDown(`Octavia's load balancer is ${shown(operating)}${worstOf(tree)}`);
  },
};

/** Networking API v2.0, "Show port details". */
export const portPlugin: CheckPlugin<StackParameters> = {
  ...checkTypes.NEUTRON_PORT,
  connectsItself: true,
  async check(checked, run, tools) {
    const { status, body } = await read(checked, run, tools, '/v2.0/ports/', '');
    if (status === 404) return isDown('Neutron has no such port');
    const port = objectIn(body, 'port');
    if (status !== 200 || typeof port?.status !== 'string') throw unreadable('Neutron', { status, body });
    if (port.admin_state_up === false) return isDown("Neutron's port is administratively down");
    return port.status === 'ACTIVE' ? isUp : isDown(`Neutron's port is ${shown(port.status)}`);
  },
};

function read(
  { parameters, secret }: Checked<StackParameters>,
  run: Run,
  { openStack }: CheckTools,
  before: string,
  after: string,
): Promise<StackReading> {
  const { id, caCertificates = null, certificateSha256 = null, ...place } = parameters;
  const { username, password } = secret ?? {};
  if (id === undefined) throw new Error('the member has no object ID');
  if (typeof username !== 'string' || typeof password !== 'string')
    throw new Error('the monitor has no account at Keystone: give username and password');
  const account = { ...place, username, password, caCertificates, certificateSha256 };
  return openStack.get(account, `${before}${encodeURIComponent(id)}${after}`, run);
}

/** The first part that is in error, for people. */
function worstOf(tree: JsonObject | undefined): string {
  const listeners = Array.isArray(tree?.listeners) ? tree.listeners.filter(isObject) : [];
  const bad = listeners.find(({ operating_status: status }) => status === 'ERROR' || status === 'OFFLINE');
  return bad === undefined ? '' : `: its listener ${shown(bad.name ?? bad.id)} is ${shown(bad.operating_status)}`;
}

function objectIn(value: JsonObject | undefined, field: string): JsonObject | undefined {
  const found = value?.[field];
  return isObject(found) ? (found as JsonObject) : undefined;
}

function unreadable(service: string, { status }: StackReading): Error {
  return new Error(`${service} answered with status ${status} and an unexpected body`);
}

/** The message of the answer, truncated to fit. */
function shown(value: JsonValue | undefined): string {
  return String(value ?? '')
    .replace(/[^\x20-\x7e]/g, '')
    .slice(0, 63);
}
