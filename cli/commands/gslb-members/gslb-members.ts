// `tidegate gslb-members`.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const gslbMembers = kindNoun('GslbPoolMember');
