// Folders of the lab in the data folder.

/** For devices that run as root, owned by root, and for the others. */
export const labFolder = 'lab';
export const plainLabFolder = 'lab-parts';
