-- When starts with the clock ahead are excused again without reserve. Null: no start was excused.

ALTER TABLE `trusted_clock` ADD COLUMN `excused_until` DATETIME(3) NULL;
