// Folders of the lab in the data folder.

/** Folder for devices that run as root. It belongs to root. The other devices have a folder of their own. */
export const labFolder = 'lab';
export const plainLabFolder = 'lab-parts';
