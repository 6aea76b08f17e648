// `tidegate gslbs`.
import { kindVerb } from '../../kinds/kind-noun.ts';
import type { Noun } from '../../verb.ts';
import { explain } from './explain.ts';
import { force } from './force.ts';
import { freeze } from './freeze.ts';
import { history } from './history.ts';
import { list } from './list.ts';
import { show } from './show.ts';

export const gslbs: Noun = {
  ...{ list, show, create: kindVerb('Gslb', 'create'), update: kindVerb('Gslb', 'update') },
  ...{
    delete: kindVerb('Gslb', 'delete'),
    explain,
    history,
    force,
    freeze,
  },
};
