// The relay's transports, by wire.
import { createHttpsTransport } from './https-transport.ts';
import { createNetconfTransport } from './netconf-transport.ts';
import { createOvsdbTransport } from './ovsdb-transport.ts';
import type { TransportFactory } from './session.ts';
import { createSshTransport } from './ssh-transport.ts';

export const createTransport: TransportFactory = (kind, endpoint, options) => {
  switch (kind) {
    case 'ssh':
      return createSshTransport(endpoint, options);
    case 'ovsdb':
      return createOvsdbTransport(endpoint, options);
    case 'netconf':
      return createNetconfTransport(endpoint, options);
    case 'https':
      return createHttpsTransport(endpoint, options);
  }
};
