-- What a cluster has left of rings whose options are being deleted.

ALTER TABLE `store_service` ADD COLUMN `ring_ends` MEDIUMTEXT NULL;
