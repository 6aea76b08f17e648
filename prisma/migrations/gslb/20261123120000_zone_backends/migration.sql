-- A zone names the DNS backend that answers it.

ALTER TABLE `gslb_zone`
  ADD COLUMN `backend_id` CHAR(36) NULL,
  ADD COLUMN `backend_type` VARCHAR(16) NOT NULL DEFAULT 'ANSWERER',
  ADD INDEX `gslb_zone_backend_idx` (`backend_id`);
