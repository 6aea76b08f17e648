// The status events of names in DNS.
import { declareEvents } from '../../platform/events/kinds.ts';

export const dnsEvents = declareEvents({
  'dnsBackendServer.state': {
    subject: 'DnsBackendServer',
    values: ['SERVING', 'FAILING', 'RETURNING'],
    meaning:
      'A server of a DNS backend failed and is left out, answers again and gets what it missed, or has all that it should have; `reason` says which server, and why. Only administrators see this event.',
  },
});
