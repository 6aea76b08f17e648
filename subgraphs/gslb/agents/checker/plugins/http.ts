// HTTP and HTTPS: one request. Its status must be an expected one, and so must the body's text if one is given. The monitor's credentials go into the
// Authorization header: Basic for `username` and `password`, Bearer for `token`.
import { isIP } from 'node:net';
import {
  type HttpParameters,
  type HttpsParameters,
  httpProbe,
  httpsProbe,
} from '../../../../../platform/checks/probes/http.ts';
import type { JsonObject } from '../../../../../platform/values/json.ts';
import { checkTypes } from '../../../spec/check-types.ts';
import type { Checked, CheckPlugin } from './plugin.ts';

type Asked<Parameters> = Omit<Parameters, 'host' | 'port' | 'authorization'>;

export const httpPlugin: CheckPlugin<Asked<HttpParameters>> = {
  ...checkTypes.HTTP,
  check: (checked, run) => httpProbe.check(requestTo(checked), run),
};

export const httpsPlugin: CheckPlugin<Asked<HttpsParameters>> = {
  ...checkTypes.HTTPS,
  check: (checked, run) => {
    const { host } = checked;
    const named = isIP(host) === 0 ? { serverName: host } : {};
    return httpsProbe.check({ ...named, ...requestTo(checked) }, run);
  },
};

function requestTo<Parameters extends object>({ host, address, port, parameters, secret }: Checked<Parameters>) {
  const authorization = authorizationOf(secret);
  return {
    ...(host === address ? {} : { hostHeader: `${host}:${port}` }),
    ...parameters,
    ...(authorization === undefined ? {} : { authorization }),
    ...{ host: address, port },
  };
}

function authorizationOf(secret: JsonObject | undefined): string | undefined {
  const { username, password, token } = secret ?? {};
  if (typeof token === 'string') return `Bearer ${oneLine(token)}`;
  if (typeof username !== 'string' || typeof password !== 'string') return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** A line break would end the header. */
function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '');
}
