// `tidegate gslb-pools`.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const gslbPools = kindNoun('GslbPool');
