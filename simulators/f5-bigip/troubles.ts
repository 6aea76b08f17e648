// Troubles of a BIG-IP, as reported by users: 503 while a task runs (k8s-bigip-ctlr#2192), Jetty's `AsyncContext timeout` for a
// call that may have been executed (f5-appsvcs-extension#780), a 404 for a creation without a partition that succeeded
// (openshift/origin-server#6439), 404 `not registered` and HTML while parts of the device restart.

import type { DeviceAnswer, DeviceRequest } from '../support/tls-server.ts';
import { html, json, mcpRefusal, restRefusal } from './rest.ts';

/** Each affects one call after login, in the order in which they were planned. */
export type Trouble =
  /** 503 in JSON: nothing was done. */
  | 'BUSY'
  /** 404 in JSON, `not registered`: nothing was done. */
  | 'RESTARTING'
  /** 503 in HTML while the web server restarts: nothing was done. */
  | 'RESTARTING_HTML'
  /** 500 in JSON: mcpd is not available; nothing was done, but the answer does not say so. */
  | 'MCPD_LOST'
  /** 500 in HTML, and the call was executed. */
  | 'TIMEOUT_AFTER_APPLYING'
  /** 500 in HTML, and the call was not executed. */
  | 'TIMEOUT_BEFORE_APPLYING'
  /** A creation without a partition: executed, and answered with 404. */
  | 'BOGUS_NOT_FOUND'
  /** 401 as for an ended token: nothing was done. */
  | 'TOKEN_LOST';

/** The answer that replaces the execution of the call. */
export function troubleBefore(trouble: Trouble, request: DeviceRequest): DeviceAnswer | undefined {
  switch (trouble) {
    case 'BUSY':
      return mcpRefusal(503, 'There is an active asynchronous task executing.', 32_964_609).answer;
    case 'RESTARTING':
      return restRefusal(
        404,
        `URI path ${request.path} not registered.  Please verify URI is supported and wait for /available suffix to be responsive.`,
      ).answer;
    case 'RESTARTING_HTML':
      return html(503, 'Configuration Utility restarting...');
    case 'MCPD_LOST':
      return mcpRefusal(500, 'The connection to mcpd has been lost, try again.', 32_768_001).answer;
    case 'TIMEOUT_BEFORE_APPLYING':
      return html(500, 'AsyncContext timeout');
    case 'TOKEN_LOST':
      return restRefusal(401, 'X-F5-Auth-Token does not exist.').answer;
    case 'TIMEOUT_AFTER_APPLYING':
    case 'BOGUS_NOT_FOUND':
      return undefined;
  }
}

/** The answer after the execution. */
export function troubleAfter(trouble: Trouble, request: DeviceRequest): DeviceAnswer | undefined {
  if (trouble === 'TIMEOUT_AFTER_APPLYING') return html(500, 'AsyncContext timeout');
  if (trouble !== 'BOGUS_NOT_FOUND') return undefined;
  const { name } = JSON.parse(request.body) as { name?: string };
  return json(404, {
    code: 404,
    message: `01020036:3: The requested object (/Common/${name ?? ''}) was not found.`,
    errorStack: [],
    apiError: 3,
  });
}
