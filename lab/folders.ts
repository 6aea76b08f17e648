// Folders of the lab in the data folder.

/** Of the parts that run as root, which root owns, and of the others. */
export const labFolder = 'lab';
export const plainLabFolder = 'lab-parts';
