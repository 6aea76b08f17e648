-- What a server takes over of rings.

ALTER TABLE `store_service` ADD COLUMN `take_overs` TEXT NULL;
