// `tidegate zones`.
import { kindVerb } from '../../kinds/kind-noun.ts';
import type { Noun } from '../../verb.ts';
import { list } from './list.ts';
import { rollKey } from './roll-key.ts';
import { show } from './show.ts';

export const zones: Noun = {
  ...{ list, show, create: kindVerb('DnsZone', 'create'), update: kindVerb('DnsZone', 'update') },
  ...{
    delete: kindVerb('DnsZone', 'delete'),
    'roll-key': rollKey,
  },
};
