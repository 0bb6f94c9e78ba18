"""Options that several commands of `isthmus-node` share."""

from isthmus.party.folder import folder_option as folder_option_of

folder_option = folder_option_of("isthmus-node", "The node's folder.")
