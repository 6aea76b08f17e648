// Login and logout of the REST API. Sources: Fortinet community 195425 (/logincheck, cookies, CSRF), 227837 (7.6.3), Fortinet's
// open clients for reply formats: first character 0 wrong, 1 logged in, 2 locked out; status_code -1 LOGIN_FAILED, 5
// LOGIN_SUCCESS; `ccsrftoken="0%260"` after a refusal.

import { createHash } from 'node:crypto';
import type { DeviceAnswer, DeviceRequest } from '../support/tls-server.ts';
import type { AdminSession } from './accounts.ts';
import type { Device } from './device.ts';

/** Undefined for another path. */
export function answerLogin(device: Device, request: DeviceRequest): DeviceAnswer | undefined {
  if (request.path === '/logincheck' && request.method === 'POST') return logincheck(device, request);
  if (request.path === '/logout' && request.method === 'POST') return logout(device, request);
  if (request.path === '/logindisclaimer' && request.method === 'POST') return confirm(device, request);
  if (request.path === '/api/v2/authentication' && device.features.authenticationEndpoint) {
    if (request.method === 'POST') return authenticate(device, request);
    if (request.method === 'DELETE') return logout(device, request);
  }
  return undefined;
}

/** The session of a request's cookie or bearer key. */
export function sessionOf(
  device: Device,
  request: DeviceRequest,
): { readonly session: AdminSession; readonly byCookie: boolean } | undefined {
  const bearer = bearerOf(request);
  const byKey = bearer === undefined ? undefined : device.accounts.session(bearer);
  if (byKey) return { session: byKey, byCookie: false };
  for (const [name, value] of request.cookies) {
    if (!name.startsWith('APSCOOKIE_') && !name.startsWith('session_key_')) continue;
    const session = device.accounts.session(value.replace(/^"?(Era=0&Payload=)?/, '').replace(/"$/, ''));
    if (session) return { session, byCookie: true };
  }
  return undefined;
}

export function bearerOf(request: DeviceRequest): string | undefined {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
}

function logincheck(device: Device, request: DeviceRequest): DeviceAnswer {
  const form = new URLSearchParams(request.body);
  const outcome = device.accounts.login('REST', {
    username: form.get('username') ?? '',
    password: form.get('secretkey') ?? '',
    source: request.remoteAddress,
  });
  if (!('session' in outcome)) {
    const headers = { 'set-cookie': ['ccsrftoken="0%260"; path=/; secure'] };
    return html(200, outcome.result === 'LOCKED' ? '2' : '0', headers);
  }
  const next = device.postLoginBanner ? '/logindisclaimer' : '/prompt?viewOnly&redir=%2F';
  const [status, body] = form.get('ajax') === '1' ? [200, `1document.location="${next}";`] : [302, ''];
  if (!device.features.logincheckSession) {
    device.accounts.close(outcome.session.id);
    return html(status, body);
  }
  if (device.postLoginBanner) device.unconfirmed.add(outcome.session.id);
  return html(status, body, { 'set-cookie': cookiesFor(device, outcome.session) });
}

/** `post-login-banner`: the session can't be used before the banner is confirmed (sadrithmina.de 2023-06). */
function confirm(device: Device, request: DeviceRequest): DeviceAnswer {
  const found = sessionOf(device, request);
  if (!found || new URLSearchParams(request.body).get('confirm') !== '1') return refuse401();
  device.unconfirmed.delete(found.session.id);
  return html(200, '');
}

function authenticate(device: Device, request: DeviceRequest): DeviceAnswer {
  const given = readObject(request.body);
  const outcome = device.accounts.login('REST', {
    username: String(given.username ?? ''),
    password: String(given.secretkey ?? ''),
    source: request.remoteAddress,
  });
  if (!('session' in outcome)) return json(200, { status_code: -1, status_message: 'LOGIN_FAILED' });
  if (device.postLoginBanner && given.ack_post_disclaimer !== true) {
    device.accounts.close(outcome.session.id);
    return json(200, { status_code: 3, status_message: 'LOGIN_ACCEPT_POST_LOGIN_DISCLAIMER' });
  }
  const reply = { status_code: 5, status_message: 'LOGIN_SUCCESS' };
  const headers = { 'set-cookie': cookiesFor(device, outcome.session) };
  if (given.request_key !== true) return json(200, reply, headers);
  const key = { session_key: outcome.session.id, session_key_timeout: '5' };
  return device.features.sessionKeyInBody ? json(200, { ...reply, ...key }) : json(200, reply, headers);
}

function logout(device: Device, request: DeviceRequest): DeviceAnswer {
  const found = sessionOf(device, request);
  if (!found) return html(401, unauthorized);
  device.accounts.close(found.session.id);
  return html(200, '');
}

function cookiesFor(device: Device, session: AdminSession): readonly string[] {
  const digest = createHash('sha256').update(device.serial).digest();
  if (device.features.portCookies) {
    const hash = digest.toString('hex', 0, 8);
    return [
      `session_key_443_${hash}=${session.id}; path=/; secure; httponly; SameSite=Strict`,
      `ccsrf_token_443_${hash}="${session.csrf}"; path=/; secure; SameSite=Strict`,
    ];
  }
  const number = digest.readBigUInt64BE(0) >> 1n;
  return [
    `APSCOOKIE_${number}="Era=0&Payload=${session.id}"; path=/; secure; httponly`,
    `ccsrftoken="${session.csrf}"; path=/; secure`,
    `ccsrftoken_${number}="${session.csrf}"; path=/; secure`,
  ];
}

const unauthorized =
  '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head><title>401 Unauthorized</title></head><body></body></html>\n';

export function refuse401(): DeviceAnswer {
  return html(401, unauthorized);
}

function html(status: number, body: string, headers: DeviceAnswer['headers'] = {}): DeviceAnswer {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8', ...headers }, body };
}

export function json(status: number, body: unknown, headers: DeviceAnswer['headers'] = {}): DeviceAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body, null, 2) };
}

/** Anything but a JSON object counts as an empty one. */
export function readObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}
