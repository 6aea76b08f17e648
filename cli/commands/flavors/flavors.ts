// `tidegate flavors`.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const flavors = kindNoun('GslbFlavor');
