// `tidegate gslb-members`.
import { kindNoun } from '../../kinds/noun.ts';

export const gslbMembers = kindNoun('GslbPoolMember');
