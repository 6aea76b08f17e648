-- The times in which processes of a role ran: a standstill of the product is no state of what it judges.

CREATE TABLE `running_time` (
  `role` VARCHAR(32) NOT NULL,
  `from_at` DATETIME(3) NOT NULL,
  `until_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`role`, `from_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
