-- Alerts that were ended by hand. prisma/schema/system.prisma says what each column is.

CREATE TABLE `alert_end` (
  `rule_id` CHAR(36) NOT NULL,
  `condition_name` VARCHAR(32) NOT NULL,
  `subject_type` VARCHAR(64) NOT NULL,
  `subject_id` CHAR(36) NOT NULL,
  `ends_at` DATETIME(3) NULL,
  PRIMARY KEY (`rule_id`, `subject_type`, `subject_id`),
  INDEX `alert_end_signal_idx` (`condition_name`, `subject_type`, `subject_id`),
  CONSTRAINT `alert_end_rule_fk` FOREIGN KEY (`rule_id`) REFERENCES `alert_rule` (`id`) ON DELETE CASCADE,
  CONSTRAINT `alert_end_signal_fk` FOREIGN KEY (`condition_name`, `subject_type`, `subject_id`)
    REFERENCES `alert_signal` (`condition_name`, `subject_type`, `subject_id`) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
