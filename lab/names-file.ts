// The file with the names of the firewall's hosts, for shells.

/** A file in the data folder (`. .tidegate/lab.env`). */
export const namesFile = 'lab.env';
