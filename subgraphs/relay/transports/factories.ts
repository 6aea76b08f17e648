// The transports that this relay has, by wire.
import { createHttpsTransport } from './https-transport.ts';
import type { TransportFactory } from './session.ts';
import { createSshTransport } from './ssh-transport.ts';

export const createTransport: TransportFactory = (kind, endpoint, options) => {
  switch (kind) {
    case 'ssh':
      return createSshTransport(endpoint, options);
    case 'https':
      return createHttpsTransport(endpoint, options);
    case 'ovsdb':
      throw new Error(`there is no transport ${kind}`);
  }
};
