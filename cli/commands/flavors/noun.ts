// `tidegate flavors`.
import { kindNoun } from '../../kinds/noun.ts';

export const flavors = kindNoun('GslbFlavor');
