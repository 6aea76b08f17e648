// `tidegate dns-backends`.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const dnsBackends = kindNoun('DnsBackend');
