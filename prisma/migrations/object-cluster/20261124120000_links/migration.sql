-- What a server sees of the other clusters.

ALTER TABLE `store_service` ADD COLUMN `links` TEXT NULL;
