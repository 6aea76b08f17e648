// The REST API of a simulated FortiGate: checks the caller and its rights, then serves the table or status. Sources: FortiOS REST
// API reference (status codes), Fortinet community 195425 and 357228.

import type { DeviceAnswer, DeviceRequest } from '../support/tls-server.ts';
import { type Device, stamp } from './device.ts';
import { NO_PERMISSION } from './errors.ts';
import { answerTable } from './rest-cmdb.ts';
import { answerLogin, bearerOf, json, refuse401, sessionOf } from './rest-login.ts';

/** The caller's rights. */
interface Permission {
  readonly vdoms: readonly string[] | undefined;
  readonly readOnly: boolean;
}

export async function answerRest(device: Device, request: DeviceRequest): Promise<DeviceAnswer | undefined> {
  const login = answerLogin(device, request);
  if (login) {
    await device.faults.delay();
    return login;
  }
  if (!request.path.startsWith('/api/v2/')) return { status: 404, body: '<html><body>Not Found</body></html>' };
  const permission = permissionOf(device, request);
  if ('status' in permission) return permission;
  const vdom = request.query.get('vdom') ?? 'root';
  const isWrite = request.method !== 'GET';
  if ((isWrite && permission.readOnly) || permission.vdoms?.includes(vdom) === false) {
    return json(403, {
      ...stamp(device),
      http_method: request.method,
      status: 'error',
      error: NO_PERMISSION,
      http_status: 403,
    });
  }
  const isStatus = device.features.statusPage && request.path === '/api/v2/monitor/system/status';
  if (isStatus && request.method === 'GET') {
    await device.faults.delay();
    return json(200, statusReply(device, vdom));
  }
  if (request.path.startsWith('/api/v2/cmdb/')) return await answerTable(device, request, vdom);
  return json(404, { ...stamp(device), http_method: request.method, status: 'error', http_status: 404 });
}

function permissionOf(device: Device, request: DeviceRequest): Permission | DeviceAnswer {
  if (device.accounts.isLocked(request.remoteAddress)) return json(429, { status: 'error', http_status: 429 });
  const found = sessionOf(device, request);
  if (found && device.unconfirmed.has(found.session.id)) return refuse401();
  if (found) {
    const isForged = request.method !== 'GET' && request.headers['x-csrftoken'] !== found.session.csrf;
    return found.byCookie && isForged
      ? json(403, { status: 'error', http_status: 403 })
      : { vdoms: undefined, readOnly: false };
  }
  const inQuery = request.query.get('access_token') ?? undefined;
  const takesQuery =
    !device.features.refusesTokenInQuery || device.settings.get('system global', 'rest-api-key-url-query') === 'enable';
  const token = bearerOf(request) ?? (takesQuery ? inQuery : undefined);
  if (token === undefined) return refuse401();
  const user = device.accounts.apiUser(token, request.remoteAddress);
  return user ? { vdoms: user.vdoms, readOnly: user.readOnly ?? false } : refuse401();
}

function statusReply(device: Device, vdom: string): Readonly<Record<string, unknown>> {
  return {
    http_method: 'GET',
    results: {
      model_name: 'FortiGate',
      model_number: 'VM64',
      model: 'FGVM64',
      hostname: device.settings.get('system global', 'hostname'),
      log_disk_status: 'available',
    },
    vdom,
    path: 'system',
    name: 'status',
    action: '',
    status: 'success',
    ...stamp(device),
  };
}
