-- Where the cluster's own services reach a process.

ALTER TABLE `store_service` ADD COLUMN `url` VARCHAR(300) NULL;
