// Login at the Keystone named in the backend's options.

import { logInAtKeystone } from '../../../../platform/openstack/keystone.ts';
import type { HttpSessions } from '../driver.ts';

const domain = (name: unknown) => (typeof name === 'string' ? name : undefined);

export const sessions: HttpSessions = {
  open: (exchange, { username, password = '' }, { options }) =>
    logInAtKeystone(exchange, {
      authUrl: String(options.authUrl),
      method: options.login === 'applicationCredential' ? 'applicationCredential' : 'password',
      username,
      password,
      project: String(options.project),
      projectDomain: domain(options.projectDomain),
      userDomain: domain(options.userDomain),
    }),
  // keystonemiddleware answers before Neutron receives anything of the call.
  refusedSession: (reply) => reply.status === 401,
};
