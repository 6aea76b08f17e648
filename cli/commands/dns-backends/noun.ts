// `tidegate dns-backends`.
import { kindNoun } from '../../kinds/noun.ts';

export const dnsBackends = kindNoun('DnsBackend');
