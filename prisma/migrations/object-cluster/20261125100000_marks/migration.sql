-- By which a database is known again: its number, and a mark that rises. They are also in a file outside it.

INSERT INTO `store_counter` (`name`, `number`) VALUES ('database', 0), ('mark', 0);
