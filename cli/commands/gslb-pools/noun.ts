// `tidegate gslb-pools`.
import { kindNoun } from '../../kinds/noun.ts';

export const gslbPools = kindNoun('GslbPool');
